import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { ReplayCause, Report } from "./events.js";
import type { Replay } from "./replay.js";

/** How far the rows are that waited in the log when ClickHouse was there. */
export interface ReplayStats {
  readonly cause: ReplayCause;
  /** That waited. */
  readonly rows: number;
  /** Whose fate is not known yet. */
  readonly left: number;
  /** Since ClickHouse was there. */
  readonly seconds: number;
}

export interface ReplayWatchOptions {
  readonly clock: Clock;
  readonly report: Report;
  /** Watches the rows that are in the log when it is called. */
  readonly watch: () => Replay;
}

const LOOK_MS = 250;
/** Between two lines about one replay. */
const TELL_MS: number = 10 * SECOND_MS;

/** Tells of the replay of what waited in the log: when it begins, how far it is, when it is done. */
export class ReplayWatch {
  readonly #options: ReplayWatchOptions;
  #replay: Replay | undefined;
  #cause: ReplayCause = "start";
  #rows = 0;
  #begunAt = 0;
  #toldAt = 0;
  #toldLeft = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReplayWatchOptions) {
    this.#options = options;
  }

  /** ClickHouse is there. Rows of an outage that ended before belong to this one if they still wait. */
  begin(cause: ReplayCause): void {
    const { clock, report, watch } = this.#options;
    const replay = watch();
    const { pending } = replay.progress;
    this.#rows = sum(pending);
    if (this.#rows === 0) return;
    this.#replay = replay;
    this.#cause = cause;
    this.#toldLeft = this.#rows;
    this.#begunAt = clock.monotonic();
    this.#toldAt = this.#begunAt;
    report({ kind: "replay", cause, pending });
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Of the replay under way, if there is one. */
  get stats(): ReplayStats | undefined {
    if (this.#replay === undefined) return undefined;
    const left = sum(this.#replay.progress.pending);
    return { cause: this.#cause, rows: this.#rows, left, seconds: this.#secondsSince(this.#begunAt) };
  }

  /** Tells what there is to tell now. */
  look(): void {
    if (this.#replay === undefined) return;
    const { report } = this.#options;
    const { pending, paused } = this.#replay.progress;
    const left = sum(pending);
    if (left === 0) {
      report({
        kind: "replayed",
        cause: this.#cause,
        rows: this.#rows,
        seconds: this.#secondsSince(this.#begunAt),
      });
      this.close();
      return;
    }
    const seconds = this.#secondsSince(this.#toldAt);
    if (seconds * SECOND_MS < TELL_MS) return;
    const rowsPerSecond = Math.round((this.#toldLeft - left) / seconds);
    // Rows of paused tables wait for somebody, and that they are paused has been told.
    if (rowsPerSecond !== 0)
      report({ kind: "replaying", pending, rowsPerSecond, paused: Object.keys(paused) });
    this.#toldAt = this.#options.clock.monotonic();
    this.#toldLeft = left;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#replay = undefined;
  }

  #secondsSince(at: number): number {
    return (this.#options.clock.monotonic() - at) / SECOND_MS;
  }
}

function sum(pending: Readonly<Record<string, number>>): number {
  return Object.values(pending).reduce((total, rows) => total + rows, 0);
}
