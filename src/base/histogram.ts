/** Upper bounds of the buckets, in seconds: from a small insert on loopback to an attempt's deadline. */
const REQUEST_BOUNDS: readonly number[] = [
  0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
];

export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  /** Observations at or below each of the histogram's bounds, and above the last: not cumulative. */
  readonly buckets: readonly number[];
}

/** Durations in fixed buckets: flat memory however many there are. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #count = 0;
  #sum = 0;

  /** @param bounds upper bounds of the buckets in seconds, rising */
  constructor(bounds: readonly number[] = REQUEST_BOUNDS) {
    this.#bounds = bounds;
    this.#buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(seconds: number): void {
    const at = this.#bounds.findIndex((bound) => seconds <= bound);
    this.#buckets[at < 0 ? this.#bounds.length : at]! += 1;
    this.#count += 1;
    this.#sum += seconds;
  }

  snapshot(): HistogramSnapshot {
    return { count: this.#count, sum: this.#sum, buckets: [...this.#buckets] };
  }
}
