import type { Clock } from "../base/clock.js";
import { type Deferred, deferred } from "../base/deferred.js";
import { ColdpathError, messageOf } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import type { SeqSpan } from "../buffer/batch.js";
import type { Frame, FrameKey } from "./frame-queue.js";
import type { LogReader } from "./log-reader.js";
import type { RowsRecord } from "./records.js";
import type { RowFates } from "./row-fates.js";
import type { SealedBatch, SealedBatches } from "./sealed-batches.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

/** Rows of one table that earlier starts left in the log. */
export interface Inherited {
  /** All their frames are after this ordinal and not after `to`. */
  readonly after: number;
  readonly to: number;
  /** Wall clock, milliseconds: none of them is older. */
  readonly since: number | undefined;
  readonly runs: readonly { readonly run: bigint; readonly ranges: readonly SeqRange[] }[];
}

export interface BacklogOptions {
  /** This start. */
  readonly run: bigint;
  readonly clock: Clock;
  readonly fates: RowFates;
  readonly reader: Pick<LogReader, "next">;
  readonly sealed: SealedBatches;
  readonly inherited: Inherited;
  /** Whether another frame may be kept in memory. */
  readonly hasRoom: () => boolean;
  /** Takes a frame, in the order of the log. */
  readonly push: (frame: Frame) => void;
  /** The frame was read and will be sent, by itself or once its sealed batch is whole. */
  readonly onTaken: (frame: Frame) => void;
  /** {@link Backlog.passed} has changed. */
  readonly onPassed: () => void;
  /** The next frame of this run and partition does not follow the one before. */
  readonly part: (frames: FrameKey) => void;
  /** All frames of a sealed batch were found. */
  readonly again: (batch: SealedBatch) => void;
  readonly onUnreadable: (message: string) => void;
  /** The rows are damaged, which the reader told. */
  readonly onDamaged: (frame: FrameHead) => void;
}

/** A frame without its rows. */
type FrameHead = Omit<RowsRecord, "payload">;

const READ_BYTES: number = MIB;
const RETRY_MS: number = SECOND_MS;

/** Frames of one table that are on disk and not in memory: where they begin, and their way back when there is room. */
export class Backlog {
  readonly #options: BacklogOptions;
  /** Frames after this ordinal are not in memory; undefined if all are that are not settled. */
  #behind: number | undefined;
  /** Of the last frame that is on disk. */
  #synced: number;
  #since: number | undefined;
  /** Rows of this start, after `#behind`, that are in memory all the same. */
  #ahead = new SeqSet();
  /** Rows of this start up to this number were taken from the log, or were in memory before there was a backlog. */
  #passedSeq = 0;
  #isReading = false;
  #isClosed = false;
  #cancelRetry: (() => void) | undefined;
  #waiting: Deferred[] = [];

  constructor(options: BacklogOptions) {
    this.#options = options;
    const { inherited, clock } = options;
    this.#synced = inherited.to;
    if (this.inheritedRows === 0) return;
    this.#behind = inherited.after;
    const { since = clock.wall() } = inherited;
    this.#since = clock.monotonic() - Math.max(0, clock.wall() - since);
  }

  get isBehind(): boolean {
    return this.#behind !== undefined;
  }

  /** Frames up to this ordinal were taken, or will not be. */
  get passed(): number {
    return this.#behind ?? Number.POSITIVE_INFINITY;
  }

  /** Frames of sealed batches that are not whole yet. */
  get gathered(): readonly Frame[] {
    return this.#options.sealed.incomplete.flatMap(({ found }) => found);
  }

  /** Monotonic milliseconds since when there is a backlog; before this start if an earlier one left it. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Rows of earlier starts whose fate is not known. */
  get inheritedRows(): number {
    const { fates, inherited } = this.#options;
    let rows = 0;
    for (const { run, ranges } of inherited.runs)
      for (const { first, last } of ranges) rows += fates.openIn(run, first, last);
    return rows;
  }

  /** The ordinal of the last frame that is on disk. */
  get lastOrdinal(): number {
    return this.#synced;
  }

  /** A frame is on disk, and kept in memory or not. */
  synced(ordinal: number, { firstSeq, count }: SeqSpan, isKept: boolean): void {
    this.#synced = ordinal;
    if (isKept && this.isBehind) this.#ahead.add(firstSeq, firstSeq + count - 1);
    if (isKept || this.#behind !== undefined) return;
    this.#behind = ordinal - 1;
    this.#passedSeq = firstSeq - 1;
    this.#since = this.#options.clock.monotonic();
  }

  /** Whether the frame is in the part of the log that is still to be read: memory may let go of it. */
  isAhead({ run, firstSeq }: Pick<Frame, "run" | "firstSeq">): boolean {
    return this.isBehind && run === this.#options.run && firstSeq > this.#passedSeq;
  }

  /** Such a frame is not in memory any more. */
  letGo({ firstSeq, count }: SeqSpan): void {
    this.#ahead.remove(firstSeq, firstSeq + count - 1);
  }

  /** Reads as long as there is room. */
  read(): void {
    if (this.#behind === undefined || this.#isReading || this.#isClosed || this.#cancelRetry !== undefined)
      return;
    this.#isReading = true;
    this.#readAll().then(
      () => {
        this.#isReading = false;
      },
      (error: unknown) => {
        this.#isReading = false;
        if (this.#isClosed) return;
        this.#options.onUnreadable(messageOf(error));
        this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
          this.#cancelRetry = undefined;
          this.read();
        });
      },
    );
  }

  /** Resolves when the fate of all rows of earlier starts is known. @throws ColdpathError RECORDER_CLOSED */
  async replayed(): Promise<void> {
    while (this.inheritedRows > 0) {
      if (this.#isClosed)
        throw new ColdpathError(
          "RECORDER_CLOSED",
          "the recorder is closed; rows of earlier starts are in the log",
        );
      const waiter = deferred();
      this.#waiting.push(waiter);
      await waiter.promise;
    }
  }

  /** All that is on disk was given up: sealed batches are not put together any more. */
  forgetSealed(): void {
    const { sealed } = this.#options;
    for (const batch of sealed.incomplete) sealed.forget(batch);
  }

  /** The fate of some rows became known. */
  look(): void {
    if (this.#waiting.length === 0 || this.inheritedRows > 0) return;
    this.#release();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#release();
  }

  #release(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async #readAll(): Promise<void> {
    const { hasRoom, inherited, onPassed } = this.#options;
    while (this.#behind !== undefined && !this.#isClosed && hasRoom()) {
      const after = this.#behind;
      const upTo = await this.#readSome(after);
      if (this.#isClosed) return;
      if (after < inherited.to && upTo >= inherited.to) this.#giveUpIncomplete();
      this.#behind = upTo >= this.#synced ? undefined : upTo;
      if (this.#behind === undefined) {
        this.#since = undefined;
        this.#ahead = new SeqSet();
      }
      onPassed();
    }
  }

  /** Takes the next frames after this ordinal; gives the ordinal up to which nothing is left. */
  async #readSome(after: number): Promise<number> {
    const { fates, reader, run, part, onDamaged } = this.#options;
    const looked: { readonly ordinal: number; readonly record: FrameHead }[] = [];
    const { frames, lastOrdinal } = await reader.next({
      table: fates.table,
      after,
      upTo: this.#synced,
      maxBytes: READ_BYTES,
      wanted: ({ ordinal, record }) => {
        looked.push({ ordinal, record });
        return this.#isWanted(record);
      },
    });
    if (this.#isClosed) return after;
    const payloads = new Map(frames.map(({ entry, payload }) => [entry.ordinal, payload]));
    for (const { ordinal, record } of looked) {
      if (ordinal > lastOrdinal) break;
      // Memory has let go of it since it was looked at: the next time it is read.
      if (!payloads.has(ordinal) && this.#isWanted(record)) return ordinal - 1;
      if (record.run === run) this.#passedSeq = record.firstSeq + record.count - 1;
      const payload = payloads.get(ordinal);
      // It may have been given up while it was read.
      if (payload !== undefined && this.#isWanted(record)) {
        this.#take(record, payload);
        continue;
      }
      // Not needed, or damaged: a batch must not reach over the rows of another.
      part({ ...record, isReadBack: true });
      if (payloads.has(ordinal) && payload === undefined) onDamaged(record);
    }
    return lastOrdinal;
  }

  #isWanted(record: FrameHead): boolean {
    const { fates, sealed, run } = this.#options;
    const { firstSeq, count } = record;
    if (record.run === run && this.#ahead.covers(firstSeq, firstSeq + count - 1)) return false;
    const batch = sealed.of(record.run, firstSeq);
    if (batch === undefined) return !fates.isKnown(record.run, record);
    // Of a batch of which a part is open all frames are needed: its rows are counted from the first.
    return batch.frames.some((frame) => !fates.isKnown(record.run, frame));
  }

  #take({ run, partition, firstSeq, count }: FrameHead, payload: Uint8Array): void {
    const { clock, sealed, push, part, again, onTaken } = this.#options;
    const frame = { run, partition, firstSeq, count, payload, openedAt: clock.monotonic(), isReadBack: true };
    onTaken(frame);
    const batch = sealed.of(run, firstSeq);
    if (batch === undefined) {
      push(frame);
      return;
    }
    part(frame);
    batch.found.push(frame);
    if (batch.found.length < batch.frames.length) return;
    sealed.forget(batch);
    again(batch);
  }

  /** A damaged log does not have all frames of a batch any more: the others are sent as if none had been sealed, and asked for all the same. */
  #giveUpIncomplete(): void {
    const { sealed, push, part } = this.#options;
    for (const batch of sealed.incomplete) {
      sealed.forget(batch);
      for (const frame of batch.found) {
        push(frame);
        part(frame);
      }
    }
  }
}
