import type { Row } from "../native/block.js";
import type { MissingOf } from "./gap.js";

/** Series that are told apart in one stretch: of others, which a policy may forget and see anew all the time, only rows are counted. */
export const COUNTED_MAX = 100_000;

/** Counts rows that go missing one by one, at little cost each. */
export class MissingRows {
  readonly #by = new Map<Row, number>();
  #rows = 0;
  #from = Infinity;
  #to = -Infinity;

  get rows(): number {
    return this.#rows;
  }

  /**
   * @param series the same object for all rows of a series, as far as possible
   * @param micros the row's time since the Unix epoch; NaN if it has none
   */
  add(series: Row, micros: number): void {
    const before = this.#by.get(series);
    if (before !== undefined || this.#by.size < COUNTED_MAX) this.#by.set(series, (before ?? 0) + 1);
    this.#rows += 1;
    if (micros < this.#from) this.#from = micros;
    if (micros > this.#to) this.#to = micros;
  }

  /** What was counted, which is forgotten then. */
  take(): {
    readonly rows: number;
    readonly by: readonly MissingOf[];
    readonly from: bigint | undefined;
    readonly to: bigint | undefined;
  } {
    const taken = {
      rows: this.#rows,
      by: [...this.#by],
      from: nanosOf(this.#from),
      to: nanosOf(this.#to),
    };
    this.#by.clear();
    this.#rows = 0;
    this.#from = Infinity;
    this.#to = -Infinity;
    return taken;
  }
}

/** The nanoseconds of a time in microseconds, which may have a fraction. */
export function nanosOf(micros: number): bigint | undefined {
  if (!Number.isFinite(micros)) return undefined;
  const whole = Math.floor(micros);
  return BigInt(whole) * 1000n + BigInt(Math.round((micros - whole) * 1000));
}
