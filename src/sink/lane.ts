import { type Clock, sleep } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { Histogram, type HistogramSnapshot } from "../base/histogram.js";
import { SECOND_MS } from "../base/units.js";
import type { Batch } from "../buffer/batch.js";
import type { Journal } from "../buffer/journal.js";
import type { RowBuffer, Taken } from "../buffer/row-buffer.js";
import type { Table } from "../schemas/table.js";
import type { AnswerClass, Verdict } from "./answers.js";
import type { IncidentName, Report } from "./events.js";
import type { Inserter } from "./inserter.js";

/** Why a table takes no batches. */
export interface Pause {
  readonly class: AnswerClass | IncidentName;
  readonly code: string;
  readonly message: string;
}

/** What became of one batch that the sink took, its halves included. */
export interface Outcome {
  stored: number;
  deadLettered: number;
  /** Rows given up at the recorder's end: never sent, or sent without an answer. */
  unsent: number;
  unconfirmed: number;
}

export interface LaneStats {
  readonly stored: number;
  readonly deadLettered: number;
  /** The same of rows that an earlier start had logged, or that ClickHouse had lost; they are in no other count. */
  readonly inherited: { readonly stored: number; readonly deadLettered: number };
  readonly paused: Pause | undefined;
  /** Seconds per INSERT that succeeded. */
  readonly insertSeconds: HistogramSnapshot;
  /** Rows per INSERT that succeeded. */
  readonly insertRows: HistogramSnapshot;
  /** Failed attempts by `class/code`. */
  readonly insertErrors: Readonly<Record<string, number>>;
  /** Age of its oldest row when the last batch was stored, seconds. */
  readonly freshnessSeconds: number | undefined;
  /** Seconds from taking the oldest row of a batch until the batch was stored, once for each of its rows. */
  readonly freshness: HistogramSnapshot;
  /** Seconds from the event time of a batch's first row until the row was taken, once per batch; less than 0 where the event's clock is ahead. */
  readonly eventLag: HistogramSnapshot;
  /** When a batch was last stored, Unix seconds. */
  readonly lastStoredAt: number | undefined;
}

/** Seconds: from a batch that somebody waits for to the backlog of a day. */
const FRESHNESS_BOUNDS: readonly number[] = [
  ...[0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10],
  ...[20, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200, 86_400],
];

const ROWS_BOUNDS: readonly number[] = [
  1, 10, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
];

const EVENT_LAG_BOUNDS: readonly number[] = [
  -60, -10, -1, -0.1, -0.01, 0, 0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400,
];

/** After so many batches stored without "too many parts", batches shrink by half again. */
const CALM_BATCHES = 20;

/** One table's way through the sink: what waits, what holds it up, and what became of its rows. */
export class Lane {
  readonly table: Table;
  readonly buffer: RowBuffer;
  readonly inserter: Inserter;
  readonly journal: Journal;
  readonly #clock: Clock;
  readonly #report: Report;
  /** Called when another batch may be begun. */
  readonly #onFree: () => void;
  readonly #insertSeconds = new Histogram();
  readonly #insertRows = new Histogram(ROWS_BOUNDS);
  readonly #eventLag = new Histogram(EVENT_LAG_BOUNDS);
  readonly #insertErrors: Record<string, number> = {};
  /** Deliveries that had a failure and are not through yet: meanwhile no other batch is begun. */
  #troubled = 0;
  /** Others that wait for the journal: none is begun meanwhile, so that batches still grow. */
  #sealing = 0;
  #isHeld = false;
  #paused: Pause | undefined;
  /** How often it was paused, the same reason again included. */
  #pauses = 0;
  /** Ends the waits of deliveries in trouble. */
  readonly #resting = new Set<() => void>();
  #stored = 0;
  #deadLettered = 0;
  readonly #inherited = { stored: 0, deadLettered: 0 };
  #calm = 0;
  #freshnessSeconds: number | undefined;
  readonly #freshness = new Histogram(FRESHNESS_BOUNDS);
  #lastStoredAt: number | undefined;

  constructor(
    parts: {
      readonly table: Table;
      readonly buffer: RowBuffer;
      readonly inserter: Inserter;
      readonly journal: Journal;
    },
    context: { readonly clock: Clock; readonly report: Report; readonly onFree: () => void },
  ) {
    this.table = parts.table;
    this.buffer = parts.buffer;
    this.inserter = parts.inserter;
    this.journal = parts.journal;
    this.#clock = context.clock;
    this.#report = context.report;
    this.#onFree = context.onFree;
  }

  /** Rows stored so far. */
  get storedRows(): number {
    return this.#stored;
  }

  /** Rows that went to the dead letters so far. */
  get deadLetteredRows(): number {
    return this.#deadLettered;
  }

  /** Whether the next due batch may be begun. */
  get ready(): boolean {
    return !this.#isHeld && this.waiting === 0 && this.buffer.hasDue;
  }

  /** Deliveries that wait for something else than their turn. */
  get waiting(): number {
    return this.#troubled + this.#sealing;
  }

  beginSeal(): void {
    this.#sealing += 1;
    this.#onFree();
  }

  endSeal(): void {
    this.#sealing -= 1;
    this.#onFree();
  }

  beginTrouble(): void {
    this.#troubled += 1;
    this.#onFree();
  }

  endTrouble(): void {
    this.#troubled -= 1;
    if (this.#troubled === 0) this.#resume();
    this.#onFree();
  }

  /** No batch is begun before {@link free}. */
  hold(reason: Pause): void {
    this.#isHeld = true;
    this.pause(reason);
  }

  free(): void {
    this.#isHeld = false;
    this.#resume();
    this.#onFree();
  }

  #resume(): void {
    if (this.#paused === undefined) return;
    this.#paused = undefined;
    this.#report({ kind: "resumed", table: this.table.name });
  }

  /** Nothing but slow retries of what is in trouble, until that is through. Reported once for each reason. */
  pause(reason: Pause): void {
    this.#pauses += 1;
    const same = this.#paused?.class === reason.class && this.#paused.code === reason.code;
    this.#paused = reason;
    if (!same) this.#report({ kind: "paused", table: this.table.name, ...reason });
  }

  get pauses(): number {
    return this.#pauses;
  }

  get paused(): Pause | undefined {
    return this.#paused;
  }

  /** Waits between two tries, until {@link tryNow} at most; rejects with the signal's reason. */
  async rest(ms: number, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    signal.addEventListener("abort", end);
    this.#resting.add(end);
    await sleep(this.#clock, ms, ended.signal).catch(() => {});
    this.#resting.delete(end);
    signal.removeEventListener("abort", end);
    signal.throwIfAborted();
  }

  /** What waits for its next try is tried at once. */
  tryNow(): void {
    for (const end of this.#resting) end();
  }

  /** Too many parts: twice as large and half as many. */
  enlarge(): void {
    this.#calm = 0;
    this.buffer.stretch(this.buffer.stretched * 2);
  }

  failed(verdict: Verdict): void {
    const key = `${verdict.class}/${verdict.code}`;
    this.#insertErrors[key] = (this.#insertErrors[key] ?? 0) + 1;
  }

  inserted(seconds: number, rows: number): void {
    this.#insertSeconds.observe(seconds);
    this.#insertRows.observe(rows);
  }

  stored(batch: Batch): void {
    if (batch.inherited) this.#inherited.stored += batch.rows;
    else {
      this.#stored += batch.rows;
      this.buffer.settle(batch.rows, batch);
    }
    this.#freshnessSeconds = (this.#clock.monotonic() - batch.openedAt) / SECOND_MS;
    this.#freshness.observe(this.#freshnessSeconds, batch.rows);
    this.#lastStoredAt = this.#clock.wall() / SECOND_MS;
    // When a row of an earlier start was taken is not known.
    const { eventSeconds } = batch;
    if (!batch.inherited && eventSeconds !== undefined)
      this.#eventLag.observe(this.#lastStoredAt - this.#freshnessSeconds - eventSeconds);
    this.#calm += 1;
    if (this.#calm % CALM_BATCHES === 0) this.buffer.stretch(this.buffer.stretched / 2);
  }

  deadLettered(batch: Batch): void {
    if (batch.inherited) this.#inherited.deadLettered += batch.rows;
    else {
      this.#deadLettered += batch.rows;
      this.buffer.settle(batch.rows, batch);
    }
  }

  /** The whole batch is through: tells those who wait and frees its memory. */
  finish(open: Taken, outcome: Outcome): void {
    const left = outcome.unsent + outcome.unconfirmed;
    const name = this.table.name;
    if (left > 0)
      open.ticket.settle(
        new ColdpathError("DEADLINE", `${left} rows of ${name} were not stored before the recorder closed`),
      );
    else if (outcome.deadLettered > 0)
      open.ticket.settle(
        new ColdpathError(
          "BATCH_FAILED",
          `ClickHouse refused ${outcome.deadLettered} rows of a batch of ${name}; they are in the dead letters`,
        ),
      );
    else open.ticket.settle();
    this.buffer.release(open);
  }

  stats(): LaneStats {
    return {
      stored: this.#stored,
      deadLettered: this.#deadLettered,
      inherited: { ...this.#inherited },
      paused: this.#paused,
      insertSeconds: this.#insertSeconds.snapshot(),
      insertRows: this.#insertRows.snapshot(),
      insertErrors: { ...this.#insertErrors },
      freshnessSeconds: this.#freshnessSeconds,
      freshness: this.#freshness.snapshot(),
      eventLag: this.#eventLag.snapshot(),
      lastStoredAt: this.#lastStoredAt,
    };
  }
}
