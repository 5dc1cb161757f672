/** How a CSV file is written; both are one character. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
}

/** The fields of one CSV record as they stand between the delimiters. */
export interface CsvFields {
  readonly texts: readonly string[];
  /** Indexes of the fields written as `""`; a field that is empty without quotes is a missing value instead. */
  readonly quotedEmpty: readonly number[];
}
