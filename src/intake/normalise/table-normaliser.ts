import type { InstantNumber } from "../../native/instant-number.js";

/** A row as it was given, to be made a row of its table in place. */
export type GivenRow = Record<string, unknown>;

/** Makes what was given rows of one table. */
export interface TableNormaliser {
  /** Keys of a row that are no columns of the table. */
  readonly keys: readonly string[];
  /**
   * Changes the row in place. Once more changes nothing.
   *
   * @param receivedAt stored as `ts_local` where the row has none
   * @throws ValueError for what is ambiguous or wrong
   */
  normalise(row: GivenRow, receivedAt?: InstantNumber): void;
  /** The row normalised last was taken: rows after it may build on it. */
  taken(row: GivenRow): void;
}
