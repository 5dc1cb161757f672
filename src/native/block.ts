import { ValueError } from "./value-error.js";

export { ValueError } from "./value-error.js";

/** One column of the table a block is for. */
export interface BlockColumn {
  readonly name: string;
  /** ClickHouse type name as DESCRIBE prints it. */
  readonly type: string;
  /** True exactly if the column is neither Nullable nor has a DEFAULT: a row without it is refused. */
  readonly required: boolean;
  /** The constant DEFAULT as text that the column's writer reads; used for a missing key, never for null. */
  readonly defaultText?: string;
  /** The value comes from the stamp that goes with the row, not from the row. */
  readonly stamped?: boolean;
}

/** Column name to value; what each column type takes is listed in `docs/reference/formats/native.md`. */
export type Row = Readonly<Record<string, unknown>>;

/** Collects rows of one table column by column and encodes them as ClickHouse Native blocks. */
export class BlockBuilder {
  readonly #columns: readonly BlockColumn[];
  #rows = 0;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column type that is not written. */
  constructor(columns: readonly BlockColumn[]) {
    this.#columns = columns;
  }

  /** Rows held. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes that {@link encode} would give for all rows, exact but for dictionaries, which are estimated. */
  get bytes(): number {
    return 0;
  }

  /**
   * Adds a row; keys that are no columns are ignored (see `unknownKey`).
   * @throws ValueError if a value does not fit; the builder is then as it was before.
   */
  append(row: Row, stamp: Row): void {
    for (const column of this.#columns) {
      const value = (column.stamped === true ? stamp : row)[column.name];
      if (value === undefined && column.required) throw new ValueError(column.name, "is required", value);
    }
    this.#rows += 1;
  }

  /** One Native block of the rows [from, to), by default all; the buffer belongs to the caller. */
  encode(_from = 0, _to: number = this.#rows): Buffer {
    return Buffer.alloc(0);
  }

  /** Whole Unix seconds, rounded down, of an appended Date, DateTime or DateTime64 value. */
  secondsOf(_column: string, _row: number): number {
    return 0;
  }

  /**
   * A text that differs between any two different values of the column (`PARTITION BY column`); null for NULL.
   * Integers, strings, enums and bools read as ClickHouse prints them, decimals and times as their stored integer.
   */
  valueText(_column: string, _row: number): string | null {
    return null;
  }

  /** Takes the last row back. */
  removeLast(): void {
    this.#rows -= 1;
  }

  /** Forgets all rows and keeps the memory for the next ones. */
  clear(): void {
    this.#rows = 0;
  }
}
