import type { Clock } from "../base/clock.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { RowSums } from "./row-sums.js";

interface Counts extends Pick<RowSums, "offered" | "stored" | "dropped"> {
  /** Rows for which the rings they come from had no room. */
  readonly refusedByRings: number;
}

/** What came and went in a stretch of time. */
export interface Recent extends Counts {
  readonly seconds: number;
}

const KEPT_MS = MINUTE_MS;

/** Remembers the counts of one table's rows for a minute, one look a second. */
export class RecentRows {
  readonly #clock: Clock;
  readonly #counts: () => Counts;
  readonly #looks: { readonly at: number; readonly counts: Counts }[] = [];

  constructor(clock: Clock, counts: () => Counts) {
    this.#clock = clock;
    this.#counts = counts;
    this.#looks.push({ at: clock.monotonic(), counts: counts() });
  }

  look(): void {
    const at = this.#clock.monotonic();
    if (at - this.#looks.at(-1)!.at < SECOND_MS) return;
    this.#looks.push({ at, counts: this.#counts() });
    // One that is older, so that the whole minute is known.
    while (this.#looks.length > 1 && this.#looks[1]!.at <= at - KEPT_MS) this.#looks.shift();
  }

  /** The last `ms` or somewhat more, a minute at most; less where there was less. */
  over(ms: number): Recent {
    const now = this.#clock.monotonic();
    const { at, counts } = this.#looks.findLast((look) => look.at <= now - ms) ?? this.#looks[0]!;
    const { offered, stored, dropped, refusedByRings } = this.#counts();
    return {
      seconds: (now - at) / SECOND_MS,
      offered: offered - counts.offered,
      stored: stored - counts.stored,
      dropped: dropped - counts.dropped,
      refusedByRings: refusedByRings - counts.refusedByRings,
    };
  }
}
