import type { Clock } from "../base/clock.js";
import {
  type BatchLimits,
  type BatchRoom,
  batchLimits,
  type FlushLimits,
  stretchWithin,
} from "../buffer/batch-limits.js";

/** A synced frame in memory. */
export interface Frame {
  readonly run: bigint;
  readonly partition: string;
  readonly firstSeq: number;
  readonly count: number;
  /** One Native block. */
  readonly payload: Uint8Array;
  /** Monotonic milliseconds when its first row was taken, or when it was read back. */
  readonly openedAt: number;
  /** ClickHouse had these rows and lost them. */
  readonly isLost?: boolean;
  /** Not kept in memory since it was synced, but read from the log. */
  readonly isReadBack?: boolean;
}

/** Frames of one run and partition that are to become one batch. */
export class FrameGroup {
  readonly frames: Frame[] = [];
  /** Of rows taken just now; others pass those of a backlog. */
  isLive: boolean;
  rows = 0;
  bytes = 0;
  /** Offered to the sink; it may still grow until taken. */
  due = false;

  constructor(isLive: boolean) {
    this.isLive = isLive;
  }

  get openedAt(): number {
    return this.frames[0]!.openedAt;
  }

  add(frame: Frame): void {
    this.frames.push(frame);
    this.rows += frame.count;
    this.bytes += frame.payload.length;
  }
}

/** Frames that differ in one of these are never in one batch. */
export type FrameKey = Pick<Frame, "run" | "partition" | "isLost" | "isReadBack">;

export interface FrameQueueOptions {
  readonly flush: FlushLimits;
  readonly clock: Clock;
  /** Called each time a group becomes due. */
  readonly onDue: () => void;
}

/** No batch is ever dropped to make room, so none has to stay a fraction of the queue. */
const ANY: BatchRoom = { rows: Infinity, bytes: Infinity };
/** Batches that were read back are smaller while live rows take turns with them: these wait for one such batch. */
const BESIDE_LIVE_SHARE = 0.25;

/** Synced frames of one table, gathered into batches as `TableBuffer` gathers rows. */
export class FrameQueue {
  readonly #options: FrameQueueOptions;
  #flush: FlushLimits;
  /** What still grows, by run and partition. */
  readonly #open = new Map<string, FrameGroup>();
  /** Offered, oldest first. */
  readonly #due: FrameGroup[] = [];
  #rows = 0;
  #bytes = 0;
  #liveRows = 0;
  #liveBytes = 0;
  /** Whether the group taken last was of rows taken just now. */
  #wasLive = false;
  #stretch = 1;
  #cancelAgeTimer: (() => void) | undefined;

  constructor(options: FrameQueueOptions) {
    this.#options = options;
    this.#flush = options.flush;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of these, what was not read back. */
  get liveRows(): number {
    return this.#liveRows;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** All that are in it. */
  get frames(): Frame[] {
    return [...new Set([...this.#due, ...this.#open.values()])].flatMap(({ frames }) => frames);
  }

  get hasDue(): boolean {
    return this.#due.length > 0;
  }

  get oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const { openedAt } of this.#due) if (oldest === undefined || openedAt < oldest) oldest = openedAt;
    for (const { openedAt } of this.#open.values())
      if (oldest === undefined || openedAt < oldest) oldest = openedAt;
    return oldest;
  }

  get stretched(): number {
    return this.#stretch;
  }

  stretch(factor: number): void {
    this.#stretch = stretchWithin(factor);
  }

  /** Other limits from now on, also for what is open. */
  setFlush(flush: FlushLimits): void {
    this.#flush = flush;
    for (const group of this.#open.values()) {
      const { offerRows, offerBytes } = this.#limitsOf(group.frames[0]!);
      if (group.rows >= offerRows || group.bytes >= offerBytes) this.#offer(group);
    }
    this.close();
    this.#armAgeTimer();
  }

  /** Takes a frame in, after those of the same run and partition. */
  push(frame: Frame): void {
    const limits = this.#limitsOf(frame);
    const key = keyOf(frame);
    let group = this.#open.get(key);
    if (
      group !== undefined &&
      (group.rows + frame.count > limits.mostRows || group.bytes + frame.payload.length > limits.mostBytes)
    ) {
      this.#close(key, group);
      group = undefined;
    }
    if (group === undefined) {
      group = new FrameGroup(isLive(frame));
      this.#open.set(key, group);
    }
    group.add(frame);
    this.#count(group.isLive, frame.count, frame.payload.length);
    if (group.rows >= limits.offerRows || group.bytes >= limits.offerBytes) this.#offer(group);
    this.#armAgeTimer();
  }

  /** What comes next of this run and partition is not joined with what is there: rows between them are missing. */
  part(frames: FrameKey): void {
    const key = keyOf(frames);
    const group = this.#open.get(key);
    if (group !== undefined) this.#close(key, group);
  }

  /**
   * The oldest due group; no frame joins it any more. Rows taken just now and rows that were read back take turns: neither waits for all
   * of the others.
   */
  take(): FrameGroup | undefined {
    const next = this.#due.findIndex(({ isLive }) => isLive !== this.#wasLive);
    const [group] = this.#due.splice(Math.max(next, 0), 1);
    if (group === undefined) return undefined;
    this.#wasLive = group.isLive;
    const key = keyOf(group.frames[0]!);
    if (this.#open.get(key) === group) this.#open.delete(key);
    this.#count(group.isLive, -group.rows, -group.bytes);
    return group;
  }

  /** Frames that were taken and do not fit the others of their group come next. */
  giveBack(frames: readonly Frame[]): void {
    const group = new FrameGroup(isLive(frames[0]!));
    for (const frame of frames) group.add(frame);
    group.due = true;
    this.#due.unshift(group);
    this.#count(group.isLive, group.rows, group.bytes);
    this.#options.onDue();
  }

  /** All that is in it belongs to a backlog from now on, which rows taken later pass. */
  fallBehind(): void {
    for (const [key, group] of this.#open) if (group.isLive) this.#close(key, group);
    for (const group of this.#due) group.isLive = false;
    this.#liveRows = 0;
    this.#liveBytes = 0;
  }

  /** Lets go of live groups all frames of which may go, and gives these frames. */
  letGo(mayGo: (frame: Frame) => boolean): Frame[] {
    const going = new Set(
      [...this.#due, ...this.#open.values()].filter((group) => group.isLive && group.frames.every(mayGo)),
    );
    for (const group of going) this.#count(true, -group.rows, -group.bytes);
    for (const [key, group] of this.#open) if (going.has(group)) this.#open.delete(key);
    this.#due.splice(0, this.#due.length, ...this.#due.filter((group) => !going.has(group)));
    return [...going].flatMap(({ frames }) => frames);
  }

  /** Lets go of all that is in it, and gives it. */
  clear(): Frame[] {
    const { frames } = this;
    this.#open.clear();
    this.#due.length = 0;
    this.#count(true, -this.#liveRows, -this.#liveBytes);
    this.#count(false, -this.#rows, -this.#bytes);
    this.close();
    return frames;
  }

  /** Offers everything, whatever its size and age. */
  offerAll(): void {
    for (const group of this.#open.values()) this.#offer(group);
  }

  /** Stops the age timer. */
  close(): void {
    this.#cancelAgeTimer?.();
    this.#cancelAgeTimer = undefined;
  }

  #limitsOf(frame: Frame): BatchLimits {
    const limits = batchLimits(this.#flush, ANY, this.#stretch);
    if (isLive(frame) || this.#liveRows === 0) return limits;
    const mostRows = limits.mostRows * BESIDE_LIVE_SHARE;
    const mostBytes = limits.mostBytes * BESIDE_LIVE_SHARE;
    return { ...limits, mostRows, mostBytes };
  }

  #count(isLive: boolean, rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
    if (!isLive) return;
    this.#liveRows += rows;
    this.#liveBytes += bytes;
  }

  #close(key: string, group: FrameGroup): void {
    this.#open.delete(key);
    this.#offer(group);
  }

  #offer(group: FrameGroup): void {
    if (group.due) return;
    group.due = true;
    this.#due.push(group);
    this.#options.onDue();
  }

  #armAgeTimer(): void {
    if (this.#cancelAgeTimer !== undefined) return;
    const { clock } = this.#options;
    const age = this.#flush.age * this.#stretch;
    let oldest = Infinity;
    for (const group of this.#open.values()) if (!group.due) oldest = Math.min(oldest, group.openedAt);
    if (oldest === Infinity) return;
    this.#cancelAgeTimer = clock.after(Math.max(0, oldest + age - clock.monotonic()), () => {
      this.#cancelAgeTimer = undefined;
      const now = clock.monotonic();
      for (const group of this.#open.values()) if (now - group.openedAt >= age) this.#offer(group);
      this.#armAgeTimer();
    });
  }
}

function isLive({ isLost = false, isReadBack = false }: Frame): boolean {
  return !isLost && !isReadBack;
}

function keyOf({ run, partition, isLost = false, isReadBack = false }: FrameKey): string {
  return `${run}/${isLost}/${isReadBack}/${partition}`;
}
