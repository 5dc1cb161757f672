/** Where a row came from, when that place has a name and numbers its rows: a file and its lines, a topic and its offsets. */
export interface Origin {
  /** Becomes the column `source`. */
  readonly source: string;
  /** Becomes the column `source_seq`, a UInt64. */
  readonly seq: number | bigint;
}
