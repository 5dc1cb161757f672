/** Upper bounds of the buckets, in seconds: from a small insert on loopback to an attempt's deadline. */
const SECONDS_BOUNDS: readonly number[] = [
  0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
];

export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  /** Observations at or below each of {@link SECONDS_BOUNDS}, and above the last: not cumulative. */
  readonly buckets: readonly number[];
}

/** Durations in fixed buckets: flat memory however many there are. */
export class Histogram {
  readonly #buckets: number[] = new Array<number>(SECONDS_BOUNDS.length + 1).fill(0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    const at = SECONDS_BOUNDS.findIndex((bound) => seconds <= bound);
    this.#buckets[at < 0 ? SECONDS_BOUNDS.length : at]! += 1;
    this.#count += 1;
    this.#sum += seconds;
  }

  snapshot(): HistogramSnapshot {
    return { count: this.#count, sum: this.#sum, buckets: [...this.#buckets] };
  }
}
