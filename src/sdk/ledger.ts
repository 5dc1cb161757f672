/** What is known of one table: rows that the pipeline holds in memory, rows it has stored, and rows that are missing and in no gap yet. */
interface Held {
  readonly pending: number;
  readonly stored: number;
  readonly untold: number;
}

/** Doubles per table. */
const DOUBLES = 3;

/** What the pipeline's worker holds of each table, in memory that outlives it: what is lost when it dies. */
export class Ledger {
  readonly #counts: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Float64Array(buffer);
  }

  static create(tables: number): SharedArrayBuffer {
    return new SharedArrayBuffer(tables * DOUBLES * Float64Array.BYTES_PER_ELEMENT);
  }

  publish(table: number, { pending, stored, untold }: Held): void {
    this.#counts[table * DOUBLES] = pending;
    this.#counts[table * DOUBLES + 1] = stored;
    this.#counts[table * DOUBLES + 2] = untold;
  }

  /** A new worker begins: it holds nothing and has stored nothing. */
  clear(): void {
    this.#counts.fill(0);
  }

  /** As it was published last. */
  of(table: number): Held {
    const [pending, stored, untold] = this.#counts.subarray(table * DOUBLES, (table + 1) * DOUBLES);
    return { pending: pending!, stored: stored!, untold: untold! };
  }
}
