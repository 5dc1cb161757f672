/** What is kept of the last hour, in the order in which it is told. */
const SERIES = [
  "offeredRowsPerSecond",
  "storedRowsPerSecond",
  "freshnessP50Seconds",
  "freshnessP99Seconds",
  "queueUsage",
  "insertP50Seconds",
  "insertP99Seconds",
  "walBytes",
  "spoolBytes",
] as const;

export type SeriesName = (typeof SERIES)[number];

/** One moment of all series; null where there was nothing to measure. */
export interface HistoryPoint extends Readonly<Record<SeriesName, number | null>> {
  /** Unix seconds. */
  readonly at: number;
}

export interface HistoryColumns {
  readonly intervalSeconds: number;
  /** Unix seconds. */
  readonly at: readonly number[];
  readonly series: Readonly<Record<SeriesName, readonly (number | null)[]>>;
}

export const SAMPLE_SECONDS = 5;
const POINTS = 720;

/** The last hour by columns, as charts want it; the oldest point makes room. */
export class History {
  readonly #at: number[] = [];
  readonly #series = Object.fromEntries(SERIES.map((name) => [name, []])) as unknown as Record<
    SeriesName,
    (number | null)[]
  >;

  add(point: HistoryPoint): void {
    if (this.#at.length === POINTS) {
      this.#at.shift();
      for (const name of SERIES) this.#series[name].shift();
    }
    this.#at.push(point.at);
    for (const name of SERIES) this.#series[name].push(point[name]);
  }

  /** Oldest first. */
  get columns(): HistoryColumns {
    return { intervalSeconds: SAMPLE_SECONDS, at: this.#at, series: this.#series };
  }
}
