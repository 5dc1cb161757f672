import type { Sent } from "./letter-sender.js";

/** What became of letters of one table. */
export interface TableRetry {
  readonly table: string;
  /** Stored now, and found stored: their letters are gone. */
  readonly stored: number;
  readonly found: number;
  /** Letters that stay. */
  readonly left: number;
  /** The first 100 of those that stay, with the reason. */
  readonly errors: readonly { readonly id: string; readonly reason: string }[];
}

/** There may be millions that stay. */
const ERRORS_TOLD = 100;

/** Counts what becomes of the letters of one table. */
export class TableTally {
  /** Ids of the letters whose rows are in ClickHouse. */
  readonly gone = new Set<string>();
  readonly #table: string;
  readonly #errors: { readonly id: string; readonly reason: string }[] = [];
  #stored = 0;
  #found = 0;
  #left = 0;

  constructor(table: string) {
    this.#table = table;
  }

  add({ stored, found, left }: Sent): void {
    for (const id of stored) this.gone.add(id);
    for (const id of found) this.gone.add(id);
    this.#stored += stored.length;
    this.#found += found.length;
    for (const [id, reason] of left) this.stays(id, reason);
  }

  stays(id: string, reason: string): void {
    this.#left += 1;
    if (this.#errors.length < ERRORS_TOLD) this.#errors.push({ id, reason });
  }

  get retry(): TableRetry {
    const counts = { stored: this.#stored, found: this.#found, left: this.#left };
    return { table: this.#table, ...counts, errors: this.#errors };
  }
}
