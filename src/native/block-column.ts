/** One column of the table a block is for. */
export interface BlockColumn {
  readonly name: string;
  /** ClickHouse type name as DESCRIBE prints it. */
  readonly type: string;
  /** True exactly if the column is neither Nullable nor has a DEFAULT: a row without it is refused. */
  readonly required: boolean;
  /** The constant DEFAULT as text that the column's writer reads, of an Array, Map or Tuple as JSON; never stands for null. */
  readonly defaultText?: string;
  /** The value comes from the stamp that goes with the row, not from the row. */
  readonly stamped?: boolean;
}

/** Column name to value; what each column type takes is listed in `docs/reference/formats/native.md`. */
export type Row = Readonly<Record<string, unknown>>;
