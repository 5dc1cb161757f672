import type { Clock } from "../base/clock.js";
import { type Deferred, deferred } from "../base/deferred.js";
import type { CutFrame } from "./frame-builder.js";
import type { GroupEndRecord, LogRecord } from "./records.js";
import type { Committed } from "./recovered.js";
import type { RowSource, SourceCut } from "./row-source.js";

/** What a commit needs of the log. */
export interface Appender {
  /** Resolves when the records are on disk, with their ordinals. */
  append(records: readonly LogRecord[]): Promise<Committed>;
}

/** A table whose rows go into commits. */
export interface Committing {
  /** Monotonic milliseconds when the oldest row that is in no commit yet was taken. */
  readonly uncutAt: number | undefined;
  cut(): readonly CutFrame[];
  /** Frames of {@link cut} are on disk under these ordinals. */
  synced(frames: readonly CutFrame[], ordinals: readonly number[]): void;
  failed(frames: readonly CutFrame[], error: Error): void;
}

export interface CommitsOptions {
  readonly log: Appender;
  /** Milliseconds that a row may wait for a commit when nobody waits for the row. */
  readonly delayMs: number;
  readonly clock: Clock;
}

interface GroupEnd {
  readonly record: GroupEndRecord;
  readonly resolve: (ordinal: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Puts the rows of all tables into the log together, one commit after the other: the next begins as soon as the last has ended and
 * somebody waits, or its oldest row has waited for long enough.
 */
export class Commits {
  readonly #options: CommitsOptions;
  readonly #tables: Committing[] = [];
  /** The commit that runs, and the one that comes next. */
  #running: Deferred | undefined;
  #next: Deferred = deferred();
  readonly #sources: RowSource[] = [];
  #cancelTimer: (() => void) | undefined;
  #isWanted = false;
  #ends: GroupEnd[] = [];

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  add(table: Committing): void {
    this.#tables.push(table);
  }

  /** Positions of its rows go into the log with them, and it is told when they are on disk. */
  addSource(source: RowSource): void {
    this.#sources.push(source);
  }

  /** Whether all rows that were taken are on disk. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#uncutAt === undefined;
  }

  /** A row was taken. */
  touched(): void {
    if (this.#running === undefined && this.#cancelTimer === undefined) this.#arm();
  }

  /** Somebody waits for rows that were taken. */
  wanted(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    // Others that wait, too, may come in this turn of the loop.
    setImmediate(() => this.#begin());
  }

  /** Puts the end of a group behind its frames, which the table's next cut gives. Resolves with its ordinal once it is on disk. */
  end(record: GroupEndRecord): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#ends.push({ record, resolve, reject });
      this.wanted();
    });
  }

  /** Resolves when all rows taken before the call are on disk. */
  async durable(): Promise<void> {
    if (this.#uncutAt === undefined) {
      await this.#running?.promise;
      return;
    }
    this.wanted();
    await this.#next.promise;
  }

  /** Monotonic milliseconds when the oldest row was taken that is in no commit. */
  get #uncutAt(): number | undefined {
    let oldest: number | undefined;
    for (const { uncutAt } of this.#tables)
      if (uncutAt !== undefined && (oldest === undefined || uncutAt < oldest)) oldest = uncutAt;
    return oldest;
  }

  /** Begins a commit when the oldest row has waited for long enough. */
  #arm(): void {
    const { clock, delayMs } = this.#options;
    const uncutAt = this.#uncutAt;
    if (uncutAt === undefined || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = clock.after(Math.max(0, uncutAt + delayMs - clock.monotonic()), () => {
      this.#cancelTimer = undefined;
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#running !== undefined) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#isWanted = false;
    const parts = this.#tables.map((table) => ({ table, frames: table.cut() }));
    const ends = this.#ends;
    this.#ends = [];
    if (ends.length === 0 && parts.every(({ frames }) => frames.length === 0)) return;
    const cuts = this.#sources.map((source) => source.cut());
    const frames = parts.flatMap((part) => recordsOf(part.frames, cuts));
    const records: LogRecord[] = [...frames, ...ends.map(({ record }) => record)];
    const round = this.#next;
    this.#running = round;
    this.#next = deferred();
    this.#append(records, cuts).then(
      ({ places }) => {
        const ordinals = places.map(({ ordinal }) => ordinal);
        for (const { table, frames } of parts) table.synced(frames, ordinals.splice(0, frames.length));
        for (const [index, { resolve }] of ends.entries()) resolve(ordinals[index]!);
        for (const cut of cuts) cut.synced();
        round.resolve();
        this.#goOn();
      },
      (error: Error) => {
        for (const { table, frames } of parts) table.failed(frames, error);
        for (const { reject } of ends) reject(error);
        round.reject(error);
        this.#goOn();
      },
    );
  }

  #append(records: readonly LogRecord[], cuts: readonly SourceCut[]): Promise<Committed> {
    const { log } = this.#options;
    const waits = cuts.flatMap(({ ready }) => (ready === undefined ? [] : [ready]));
    return waits.length === 0 ? log.append(records) : Promise.all(waits).then(() => log.append(records));
  }

  #goOn(): void {
    this.#running = undefined;
    if (this.#isWanted) this.#begin();
    else this.#arm();
  }
}

/**
 * The records of one table's frames. Its positions stand in the last one of no group: they hold for all rows in front of it, whatever
 * their partitions.
 */
function recordsOf(frames: readonly CutFrame[], cuts: readonly SourceCut[]): LogRecord[] {
  const last = frames.findLast(({ record }) => record.group === 0n);
  return frames.map((frame) =>
    frame === last
      ? { ...frame.record, positions: cuts.flatMap((cut) => cut.positionsOf(frame.record.table)) }
      : frame.record,
  );
}
