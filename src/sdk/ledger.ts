/** Doubles per table: rows that the pipeline holds in memory, rows it has stored. */
const DOUBLES = 2;

/** What the pipeline's worker holds of each table, in memory that outlives it: what is lost when it dies. */
export class Ledger {
  readonly #counts: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Float64Array(buffer);
  }

  static create(tables: number): SharedArrayBuffer {
    return new SharedArrayBuffer(tables * DOUBLES * Float64Array.BYTES_PER_ELEMENT);
  }

  publish(table: number, pending: number, stored: number): void {
    this.#counts[table * DOUBLES] = pending;
    this.#counts[table * DOUBLES + 1] = stored;
  }

  /** A new worker begins: it holds nothing and has stored nothing. */
  clear(): void {
    this.#counts.fill(0);
  }

  /** As it was published last. */
  of(table: number): { readonly pending: number; readonly stored: number } {
    return { pending: this.#counts[table * DOUBLES]!, stored: this.#counts[table * DOUBLES + 1]! };
  }
}
