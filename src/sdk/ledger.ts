/** What is known of one table. */
interface Held {
  /** Rows that the pipeline holds in memory, and rows it has stored. */
  readonly pending: number;
  readonly stored: number;
  /** Rows that are missing, and nobody was told of them. */
  readonly untold: number;
  /** Rows that had been taken from the rings by then: those taken since are in none of the other counts. */
  readonly handed: number;
}

/** Doubles per table. */
const DOUBLES = 4;

/** What the pipeline's worker holds of each table, in memory that outlives it: what is lost when it dies. */
export class Ledger {
  readonly #counts: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Float64Array(buffer);
  }

  static create(tables: number): SharedArrayBuffer {
    return new SharedArrayBuffer(tables * DOUBLES * Float64Array.BYTES_PER_ELEMENT);
  }

  publish(table: number, { pending, stored, untold, handed }: Held): void {
    this.#counts[table * DOUBLES] = pending;
    this.#counts[table * DOUBLES + 1] = stored;
    this.#counts[table * DOUBLES + 2] = untold;
    this.#counts[table * DOUBLES + 3] = handed;
  }

  /** As it was published last. */
  of(table: number): Held {
    const [pending, stored, untold, handed] = this.#counts.subarray(table * DOUBLES, (table + 1) * DOUBLES);
    return { pending: pending!, stored: stored!, untold: untold!, handed: handed! };
  }
}
