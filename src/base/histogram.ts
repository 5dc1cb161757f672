/** Upper bounds of the buckets, in seconds: from a small insert on loopback to an attempt's deadline. */
const REQUEST_BOUNDS: readonly number[] = [
  0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
];

export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds of the buckets, in the unit of what was observed. */
  readonly bounds: readonly number[];
  /** Observations at or below each bound, and above the last: not cumulative. */
  readonly buckets: readonly number[];
}

/** Durations or sizes in fixed buckets: flat memory however many there are. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #count = 0;
  #sum = 0;

  /** @param bounds upper bounds of the buckets, rising; by default of seconds */
  constructor(bounds: readonly number[] = REQUEST_BOUNDS) {
    this.#bounds = bounds;
    this.#buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  /** @param times how many things took so long, or were so large */
  observe(value: number, times = 1): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    this.#buckets[at < 0 ? this.#bounds.length : at]! += times;
    this.#count += times;
    this.#sum += value * times;
  }

  snapshot(): HistogramSnapshot {
    return { count: this.#count, sum: this.#sum, bounds: this.#bounds, buckets: [...this.#buckets] };
  }
}

/** What several histograms with the same bounds have seen together; undefined if there is none. */
export function merged(histograms: readonly HistogramSnapshot[]): HistogramSnapshot | undefined {
  return histograms.reduce<HistogramSnapshot | undefined>(
    (sum, each) => (sum === undefined ? each : combined(sum, each, 1)),
    undefined,
  );
}

/** What a histogram has seen since an earlier snapshot of it. */
export function seenSince(now: HistogramSnapshot, before: HistogramSnapshot): HistogramSnapshot {
  return combined(now, before, -1);
}

/** What a share `q` (0 to 1) stayed below, as if each bucket were filled evenly; undefined if nothing was seen. */
export function quantile({ count, bounds, buckets }: HistogramSnapshot, q: number): number | undefined {
  if (count === 0) return undefined;
  let below = 0;
  for (const [index, inside] of buckets.entries()) {
    if (inside > 0 && below + inside >= q * count) {
      const from = bounds[index - 1] ?? 0;
      // Of what is above all bounds nothing more is known.
      const to = bounds[index] ?? from;
      return from + (to - from) * ((q * count - below) / inside);
    }
    below += inside;
  }
  return bounds.at(-1);
}

function combined(one: HistogramSnapshot, other: HistogramSnapshot, sign: 1 | -1): HistogramSnapshot {
  return {
    count: one.count + sign * other.count,
    sum: one.sum + sign * other.sum,
    bounds: one.bounds,
    buckets: one.buckets.map((inside, index) => inside + sign * other.buckets[index]!),
  };
}
