import assert from "node:assert";
import type { Clock } from "../base/clock.js";
import type { Row } from "../native/block.js";
import { copyRow, copyValue } from "./copy-row.js";
import { microsOf } from "./micros-of.js";
import { isSameValue } from "./same-value.js";
import type { PolicyShape } from "./shape.js";

const MICROS_PER_MS = 1000;

/** How rows of a table are thinned out; all off by default. */
export interface PolicyRules {
  /** Leaves out rows that change nothing: `bbo` compares best prices and sizes, and all levels of depth snapshots. */
  readonly dedup: "none" | "bbo";
  /** Keeps the first row of each interval and the last one before a quiet stretch, milliseconds; 0 keeps all. */
  readonly sample: number;
  /** Keeps the last row of each interval, milliseconds; 0 keeps all. */
  readonly conflate: number;
  /** Series that are remembered; the one not seen for longest is forgotten for another. */
  readonly series: number;
}

/** Why a row was left out: it repeats what was said, or another one stands for it. */
export type LeftOutReason = "deduplicated" | "sampled";

/** Rows of a series that were left out, and after which none was kept that could say so. */
interface PolicyGap {
  /** Values of the columns that tell the series from others, as text. */
  readonly series: Row;
  readonly rows: number;
  /** Time of the first and the last of them, microseconds since the Unix epoch; NaN if they have none. */
  readonly from: number;
  readonly to: number;
}

export interface PolicyOptions<C> {
  readonly shape: PolicyShape;
  readonly rules: PolicyRules;
  readonly clock: Clock;
  /**
   * Takes a row that was held, with what its caller gave along; `skipped` rows of its series were left out before it. False if it was refused,
   * so that nobody will read of those.
   */
  readonly emit: (row: Row, context: C, skipped: number) => boolean;
  /**
   * A row was left out.
   *
   * @param series values of the columns that tell its series from others, one object for each series that is remembered
   * @param micros the row's time, microseconds since the Unix epoch; NaN if it has none
   * @param context of a row that was held and gave way to a later one of its interval
   */
  readonly leftOut: (reason: LeftOutReason, series: Row, micros: number, context: C | undefined) => void;
  readonly onGap: (gap: PolicyGap) => void;
}

/** What becomes of a row: kept now (then {@link Policy.kept} follows), left out, or held (then {@link Policy.hold}). */
export type Verdict = "keep" | "deduplicated" | "hold";

interface Series<C> {
  readonly key: string;
  readonly by: Row;
  /** What the last row that was no repetition said, column by column; undefined before the first. */
  news: unknown[] | undefined;
  /** Interval of the last row kept. */
  interval: number;
  skipped: number;
  /** Time of the first and the last row that `skipped` counts, microseconds. */
  from: number;
  to: number;
  /** `skipped` were left out before it; rows left out behind it are the next one's to tell. */
  held: { row: Row; context: C; since: number; skipped: number } | undefined;
  wasSeen: boolean;
}

/**
 * Thins out the rows of a table, series by series (`docs/guides/policies.md`). Intervals are those of the rows' own time, so that a
 * replay at least as fast keeps the same rows; a held row that nothing follows is let go after its interval by the clock.
 */
export class Policy<C> {
  readonly #options: PolicyOptions<C>;
  readonly #series = new Map<string, Series<C>>();
  /** All series again, for the search for one to forget: a Map's first entry is slow to find after many deletions. */
  #places: Series<C>[] = [];
  #hand = 0;
  /** Series with a held row, in the order of holding. */
  readonly #holding = new Set<Series<C>>();
  #rules: PolicyRules;
  #shape: PolicyShape;
  #current: Series<C> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: PolicyOptions<C>) {
    this.#options = options;
    this.#rules = options.rules;
    this.#shape = options.shape;
  }

  /** Rows that were left out and of which neither a kept row nor a gap has told yet. */
  untold = 0;

  /** Rows that are held. */
  get held(): number {
    return this.#holding.size;
  }

  /**
   * From now on other rules; what is held by the old ones is let go, and the next row of each series is news. With another shape
   * there are other series: the old ones are forgotten.
   */
  change(rules: PolicyRules, shape: PolicyShape): void {
    this.release();
    this.#stopTimer();
    if (shape !== this.#shape) this.#forgetAll();
    this.#shape = shape;
    for (const series of this.#series.values()) {
      series.news = undefined;
      series.interval = Number.NaN;
    }
    this.#rules = rules;
    for (const series of this.#places.splice(rules.series)) {
      this.#series.delete(series.key);
      this.#forget(series);
    }
    this.#hand = 0;
  }

  /** Judges the next row. Nothing is remembered of it unless {@link kept} or {@link hold} follows. */
  judge(row: Row): Verdict {
    const columns = this.#shape.newsOf(row);
    if (columns === undefined) {
      this.#current = undefined;
      return "keep";
    }
    const series = this.#seriesOf(row);
    this.#current = series;
    const { dedup, sample, conflate } = this.#rules;
    if (dedup !== "none" && this.#isRepetition(series, row, columns)) {
      this.#leaveOut(series, "deduplicated", row, undefined);
      return "deduplicated";
    }
    if (sample === 0 && conflate === 0) return "keep";
    // A time that cannot be read is in no interval: the row is to be kept, unless its column refuses it.
    const interval = this.#intervalOf(row);
    const isSame = interval === series.interval;
    if (!isSame) this.#release(series);
    return Number.isNaN(interval) || (conflate === 0 && !isSame) ? "keep" : "hold";
  }

  /** The row judged last was taken, with word of the rows left out before it. */
  kept(row: Row): void {
    const series = this.#current;
    if (series === undefined) return;
    this.#remember(series, row);
    this.untold -= series.skipped;
    series.skipped = 0;
  }

  /** The row judged last waits for its interval to end, or for a later row of it. */
  hold(row: Row, context: C): void {
    const { clock } = this.#options;
    const series = this.#current;
    assert(series !== undefined, "a row that was judged");
    const before = series.held;
    if (before !== undefined) this.#leaveOut(series, "sampled", before.row, before.context);
    this.#remember(series, row);
    const since = before?.since ?? clock.monotonic();
    series.held = { row: copyRow(row), context, since, skipped: series.skipped };
    this.#holding.add(series);
    this.#armTimer();
  }

  /** Rows of its series that were left out before the row judged last. */
  get skippedBefore(): number {
    return this.#current?.skipped ?? 0;
  }

  /** Lets go of all held rows. */
  release(): void {
    for (const series of [...this.#holding]) this.#release(series);
  }

  /** Lets go of all held rows and tells of the rows left out that no kept row tells of. */
  close(): void {
    this.#stopTimer();
    this.release();
    this.#forgetAll();
  }

  #seriesOf(row: Row): Series<C> {
    const { by } = this.#shape;
    const key =
      by.length === 1 ? textOf(row[by[0]!]) : by.map((column) => textOf(row[column])).join("\u0000");
    let series = this.#series.get(key);
    if (series === undefined) {
      const place = this.#places.length < this.#rules.series ? this.#places.length : this.#forgetOne();
      series = {
        key,
        by: Object.fromEntries(by.map((column) => [column, textOf(row[column])])),
        news: undefined,
        interval: Number.NaN,
        skipped: 0,
        from: Number.NaN,
        to: Number.NaN,
        held: undefined,
        wasSeen: true,
      };
      this.#series.set(key, series);
      this.#places[place] = series;
    }
    series.wasSeen = true;
    return series;
  }

  #leaveOut(series: Series<C>, reason: LeftOutReason, row: Row, context: C | undefined): void {
    const micros = microsOf(row[this.#shape.time]);
    if (series.skipped === 0) {
      series.from = micros;
      series.to = micros;
    }
    series.skipped += 1;
    this.untold += 1;
    // Those without a time are between the others.
    if (Number.isNaN(series.from)) series.from = micros;
    if (!Number.isNaN(micros)) series.to = micros;
    this.#options.leftOut(reason, series.by, micros, context);
  }

  #isRepetition({ news }: Series<C>, row: Row, columns: readonly string[]): boolean {
    if (news === undefined) return false;
    const { texts } = this.#shape;
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index]!;
      if (!isSameValue(news[index], row[column], texts.has(column))) return false;
    }
    return true;
  }

  #remember(series: Series<C>, row: Row): void {
    series.interval = this.#intervalOf(row);
    if (this.#rules.dedup !== "none")
      series.news = this.#shape.newsOf(row)!.map((column) => copyValue(row[column]));
  }

  /** Number of the interval that a row belongs to; NaN without intervals, or if its time cannot be read. */
  #intervalOf(row: Row): number {
    const { sample, conflate } = this.#rules;
    const step = Math.max(sample, conflate);
    return step === 0 ? Number.NaN : Math.floor(microsOf(row[this.#shape.time]) / (step * MICROS_PER_MS));
  }

  #release(series: Series<C>): void {
    const { held } = series;
    if (held === undefined) return;
    series.held = undefined;
    series.skipped -= held.skipped;
    this.#holding.delete(series);
    this.untold -= held.skipped;
    if (this.#options.emit(held.row, held.context, held.skipped)) return;
    this.untold += held.skipped;
    series.skipped += held.skipped;
    series.news = undefined;
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** The first held row is the one held for longest. */
  #armTimer(): void {
    if (this.#cancelTimer !== undefined) return;
    const [first] = this.#holding;
    if (first?.held === undefined) return;
    const { clock } = this.#options;
    const step = Math.max(this.#rules.sample, this.#rules.conflate);
    this.#cancelTimer = clock.after(Math.max(1, first.held.since + step - clock.monotonic()), () => {
      this.#cancelTimer = undefined;
      const now = clock.monotonic();
      for (const series of this.#holding) {
        if (series.held !== undefined && now - series.held.since < step) break;
        this.#release(series);
      }
      this.#armTimer();
    });
  }

  /** Second chance: the hand passes over those that were seen since it came by last. Gives the place that is free then. */
  #forgetOne(): number {
    for (;;) {
      const place = this.#hand;
      this.#hand = (place + 1) % this.#places.length;
      const series = this.#places[place]!;
      if (series.wasSeen) {
        series.wasSeen = false;
        continue;
      }
      this.#series.delete(series.key);
      this.#release(series);
      this.#forget(series);
      return place;
    }
  }

  #forgetAll(): void {
    for (const series of this.#series.values()) this.#forget(series);
    this.#series.clear();
    this.#places = [];
  }

  #forget({ by, skipped, from, to }: Series<C>): void {
    this.untold -= skipped;
    if (skipped > 0) this.#options.onGap({ series: by, rows: skipped, from, to });
  }
}

/** No text of a row from outside is sure to be one: the column of such a value will refuse it, and say why. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return String(value);
  } catch {
    return "\u0000";
  }
}
