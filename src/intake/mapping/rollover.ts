const DAY_NS = 86_400_000_000_000;

/**
 * Dates for times of day that pass midnight in a file. Rows may be out of order by up to a limit; beyond it, a time of
 * day that goes back belongs to the next day. A late row after midnight still gets the day before.
 */
export class Rollover {
  readonly #firstDay: number;
  readonly #disorderNs: number;
  /** The latest row so far: its day and its time of day in nanoseconds. */
  #day: number;
  #time = 0;

  /** `firstDay` in days since 1970, `disorderNs` below half a day. */
  constructor(firstDay: number, disorderNs: number) {
    this.#firstDay = firstDay;
    this.#disorderNs = disorderNs;
    this.#day = firstDay;
  }

  /** The day of the next row in file order: the first on which it is not further back than the limit. */
  dayOf(time: number): number {
    const earliest = this.#time - this.#disorderNs;
    if (time - DAY_NS >= earliest && this.#day > this.#firstDay) return this.#day - 1;
    if (time < earliest) this.#day += 1;
    else if (time <= this.#time) return this.#day;
    this.#time = time;
    return this.#day;
  }
}
