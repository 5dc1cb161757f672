import { randomBytes } from "node:crypto";
import { ColdpathError } from "../base/errors.js";
import { MIB } from "../base/units.js";
import type { SeqSpan } from "../buffer/batch.js";
import type { FlushLimits } from "../buffer/batch-limits.js";
import { BuilderPool } from "../buffer/builder-pool.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { Origin } from "../buffer/origin.js";
import type { RowBuffer, Taken } from "../buffer/row-buffer.js";
import type { GatheredRows, KeyedAnswer } from "../buffer/row-group.js";
import { sentColumns } from "../buffer/stamp.js";
import type { Ticket } from "../buffer/ticket.js";
import type { Row } from "../native/block.js";
import { Backlog } from "./backlog.js";
import type { Committing } from "./commits.js";
import { FrameBatches, numberOfFrames } from "./frame-batches.js";
import { type CutFrame, FrameBuilder, type FrameBuilderOptions, type OpenFrame } from "./frame-builder.js";
import { type Frame, FrameQueue } from "./frame-queue.js";
import { GatheredGroup } from "./gathered-group.js";
import { type GivenUp, givenUp, without } from "./given-up.js";
import type { LoggedBufferOptions } from "./logged-buffer-options.js";
import { LostRows } from "./lost-rows.js";
import type { SealedBatch } from "./sealed-batches.js";
import { type SeqRange, SeqSet } from "./seq-set.js";
import { StoredWaiters } from "./stored-waiters.js";

/** A table may hold so many bytes of frames in memory whatever others hold, so that it always gets on. */
const FLOOR_BYTES: number = MIB;
/** Beyond that, frames of all tables are kept in memory while less than this share of it is in use. */
const WINDOW_SHARE = 0.5;
/** Rows taken while others are to be read back may hold so many bytes, and this share of the memory. */
const AHEAD_BYTES: number = 8 * MIB;
const AHEAD_SHARE = 0.125;
/** Room is announced again below this share of what may wait for the disk. */
const ROOM_SHARE = 0.5;

/**
 * The rows of one table with a log. A row goes into a frame, the frame to disk, and only then towards the sink: by way of memory if there
 * is room, else it is read back from the log when there is. So rows of an outage, of the start before and of this moment take one way.
 */
export class LoggedBuffer implements RowBuffer, Committing {
  readonly #options: LoggedBufferOptions;
  readonly #frameOptions: FrameBuilderOptions;
  readonly #frames: FrameBuilder;
  readonly #queue: FrameQueue;
  readonly #batches: FrameBatches;
  readonly #backlog: Backlog;
  readonly #waiters: StoredWaiters;
  readonly #lost: LostRows;
  /** Sealed batches of earlier starts, whole again. */
  readonly #again: { readonly batch: SealedBatch; readonly bytes: number }[] = [];
  /** Rows of the largest frame. */
  #mostRows: number;
  #nextNumber = 1;
  #taken = 0;
  #synced = 0;
  /** The highest number of a row on disk. */
  #syncedSeq = 0;
  #settled = 0;
  /** Rows up to this number are offered as soon as they are synced. */
  #offerUpTo = 0;
  #isClosed = false;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column that cannot be written. */
  constructor(options: LoggedBufferOptions) {
    this.#options = options;
    const { table, identity, flush, window, budget, clock, commits, fates, waiting } = options;
    this.#mostRows = flush.rows;
    const pool = new BuilderPool(sentColumns(table), budget);
    this.#waiters = new StoredWaiters(table.name, identity.run, fates);
    this.#frameOptions = {
      ...{ table, identity, window, pool, clock, mostRows: () => this.#mostRows },
      fates: { wanted: () => commits.wanted(), storedOf: (span) => this.#waiters.storedOf(span) },
      onBytes: (delta) => waiting.add(delta),
    };
    this.#frames = new FrameBuilder(this.#frameOptions);
    this.#queue = new FrameQueue({ flush, clock, onDue: options.onDue });
    const onSettled = (frames: readonly Frame[], failure: Error | undefined): void =>
      this.#waiters.settle(frames, failure);
    this.#batches = new FrameBatches({ table, pool, budget, onSettled });
    this.#backlog = new Backlog({
      ...options,
      hasRoom: () => this.#hasRoomBack,
      push: (frame) => this.#push(frame),
      run: identity.run,
      part: (frames) => this.#queue.part(frames),
      again: (batch) => this.#sendAgain(batch),
      onTaken: (frame) => this.#lost.taken(frame.run, frame),
      onPassed: () => this.#onPassed(),
      onDamaged: (frame) => this.unreadable(frame),
    });
    this.#lost = new LostRows({
      ...options,
      table: table.name,
      synced: () => this.#backlog.lastOrdinal,
      passed: () => this.#backlog.passed,
      hasRoom: () => this.#hasWindow,
      push: (frame) => this.#push(frame),
      onDamaged: (rows) => this.unreadable(rows),
    });
    commits.add(this);
  }

  get pendingRows(): number {
    return this.#taken - this.#settled;
  }

  get heldRows(): number {
    return this.#frames.rows + this.#queue.rows + this.#batches.rows;
  }

  get pendingBytes(): number {
    return this.#frames.bytes + this.#windowBytes + this.#batches.bytes;
  }

  get oldestAt(): number | undefined {
    return oldestOf([this.#queue.oldestAt, this.#frames.oldestAt]);
  }

  /** Monotonic milliseconds when the oldest row in memory was taken, those with the sink included, or when the first was left to the log. */
  get pendingSince(): number | undefined {
    return oldestOf([this.oldestAt, this.#batches.oldestAt, this.#backlog.since]);
  }

  /** Rows of earlier starts whose fate is not known. */
  get inheritedRows(): number {
    return this.#backlog.inheritedRows;
  }

  /** Gives, whenever asked, of how many of the rows that are pending now the fate is still not known. */
  watchPending(): () => number {
    const { fates, identity } = this.#options;
    const upTo = this.#taken;
    return () => fates.openIn(identity.run, 1, upTo) + this.inheritedRows;
  }

  /** Whether rows are in the log that are not in memory. */
  get isBehind(): boolean {
    return this.#backlog.isBehind;
  }

  get refusal(): string | undefined {
    const { waiting, refusing } = this.#options;
    return refusing(waiting.full);
  }

  get usage(): number {
    const { waiting } = this.#options;
    return this.refusal === undefined ? waiting.bytes / waiting.max : 1;
  }

  get hasRoom(): boolean {
    const { waiting, refusing } = this.#options;
    return refusing(false) === undefined && waiting.bytes < waiting.max * ROOM_SHARE;
  }

  get hasDue(): boolean {
    return this.#again.length > 0 || this.#queue.hasDue;
  }

  get stretched(): number {
    return this.#queue.stretched;
  }

  append(row: Row, origin: Origin | undefined, skipped = 0): { readonly ticket: Ticket } {
    const frame = this.#frames.append(row, origin, skipped);
    this.#taken += 1;
    this.#options.commits.touched();
    return frame;
  }

  /** Begins rows that are taken together. */
  gather(): GatheredRows {
    return new GatheredGroup({
      ...this.#frameOptions,
      onEnd: (frames, rows, answer) => this.#takeGroup(frames, rows, answer),
    });
  }

  get uncutAt(): number | undefined {
    return this.#frames.oldestAt;
  }

  cut(): readonly CutFrame[] {
    const frames = this.#frames.cut();
    this.#options.waiting.add(bytesOf(frames));
    return frames;
  }

  synced(frames: readonly CutFrame[], ordinals: readonly number[]): void {
    this.#options.waiting.add(-bytesOf(frames));
    for (const [index, { record, ticket, openedAt }] of frames.entries()) {
      ticket.synced();
      this.#synced += record.count;
      this.#syncedSeq = record.firstSeq + record.count - 1;
      const isAhead = this.#backlog.isBehind;
      const isKept = isAhead ? this.#makeRoomAhead() : this.#hasWindow;
      this.#backlog.synced(ordinals[index]!, record, isKept);
      if (!isAhead && !isKept) this.#queue.fallBehind();
      // A batch must not reach over the rows of another.
      if (isKept) this.#push({ ...record, openedAt });
      else this.#queue.part(record);
    }
    this.#options.onSynced();
  }

  failed(frames: readonly CutFrame[], error: Error): void {
    this.#options.waiting.add(-bytesOf(frames));
    for (const { ticket } of frames) ticket.failed(error);
  }

  /** Begins to read back what earlier starts left. */
  start(): void {
    this.#backlog.read();
  }

  take() {
    const { budget } = this.#options;
    const again = this.#again.shift();
    if (again !== undefined) {
      budget.add(-again.bytes);
      return this.#batches.make(again.batch.found, { number: again.batch.number, inherited: true });
    }
    const group = this.#queue.take();
    if (group === undefined) return undefined;
    budget.add(-group.bytes);
    const { run, isLost = false } = group.frames[0]!;
    const isOwn = run === this.#options.identity.run;
    const inherited = isLost || !isOwn;
    const number = isOwn ? this.#nextNumber++ : numberOfFrames;
    const made = this.#batches.make(group.frames, { number, inherited });
    if (made.used < group.frames.length) {
      const rest = group.frames.slice(made.used);
      this.#queue.giveBack(rest);
      budget.add(rest.reduce((sum, { payload }) => sum + payload.length, 0));
    }
    this.#backlog.read();
    return made;
  }

  /** None: its rows are in the log, or will be in a moment. */
  takeOldest(): undefined {
    return undefined;
  }

  dropOldest(): undefined {
    return undefined;
  }

  settle(rows: number): void {
    this.#settled += rows;
  }

  release(open: Taken): void {
    this.#batches.release(open);
    this.#backlog.look();
    this.#backlog.read();
    this.#lost.read();
  }

  /** ClickHouse had these rows and lost them: they are stored again. */
  lost(run: bigint, rows: readonly SeqRange[]): void {
    const lost = new SeqSet(rows);
    // What of a frame has an unknown fate is found out when its batch begins: these go with others of their frame.
    for (const frame of this.#waitingFrames)
      if (frame.run === run) lost.remove(frame.firstSeq, frame.firstSeq + frame.count - 1);
    if (lost.ranges.length > 0) this.#lost.add(run, lost.ranges);
  }

  /** The log has not got these rows any more, which was told: nobody waits for them. */
  unreadable({ run, ...rows }: SeqSpan & { readonly run: bigint }): void {
    this.#options.fates.unreadable(run, rows);
    const failure = new ColdpathError("WAL_DAMAGED", `the log's frame of ${rows.count} rows is damaged`);
    this.#waiters.settle([{ run, ...rows }], failure);
    this.#backlog.look();
  }

  /** Of rows whose frame is damaged on disk, those that are lost with it: they are not in memory, and their fate is not known. */
  lostWith({ run, firstSeq, count }: SeqSpan & { readonly run: bigint }): readonly SeqRange[] {
    const rows = new SeqSet(this.#options.fates.open(run, firstSeq, firstSeq + count - 1));
    without(rows, run, this.#memoryFrames);
    return rows.ranges;
  }

  /** Gives up what is in the log but for what the sink has: it is not sent any more, and nobody waits for it. */
  giveUp(): GivenUp[] {
    const { identity, budget, fates } = this.#options;
    const again = new SeqSet(this.#lost.of(identity.run));
    for (const { run, firstSeq, count, payload, isLost } of this.#queue.clear()) {
      budget.add(-payload.length);
      if (isLost === true && run === identity.run) again.add(firstSeq, firstSeq + count - 1);
    }
    for (const { bytes } of this.#again.splice(0)) budget.add(-bytes);
    this.#backlog.forgetSealed();
    const given = this.#rowsOnDisk().flatMap(({ run, first, last }) => {
      const rows = new SeqSet(fates.unknown(run, first, last));
      without(rows, run, this.#batches.frames);
      return rows.ranges.flatMap((range) => givenUp(run, range, run === identity.run ? again : undefined));
    });
    for (const rows of given) this.#giveUp(rows);
    this.#backlog.look();
    this.#backlog.read();
    return given;
  }

  /** How many of the rows that the sink has are of unknown fate. */
  get sendingRows(): number {
    const { fates } = this.#options;
    return this.#batches.frames.reduce(
      (sum, { run, firstSeq, count }) => sum + fates.openIn(run, firstSeq, firstSeq + count - 1),
      0,
    );
  }

  offerAll(): void {
    this.#offerUpTo = this.#taken;
    this.#queue.offerAll();
    this.#options.commits.wanted();
  }

  async settled(): Promise<void> {
    await this.#waiters.knownUpTo(this.#taken);
  }

  /** Resolves when the fate of all rows of earlier starts is known. */
  async replayed(): Promise<void> {
    await this.#backlog.replayed();
  }

  /** Rows that the disk has taken since the start. */
  get syncedRows(): number {
    return this.#synced;
  }

  /** Rows taken that are not on disk. */
  get unsyncedRows(): number {
    return this.#taken - this.#synced;
  }

  setFlush(flush: FlushLimits): void {
    this.#mostRows = flush.rows;
    this.#queue.setFlush(flush);
  }

  stretch(factor: number): void {
    this.#queue.stretch(factor);
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.close();
  }

  /** Nothing: its rows are in the log, or will be when it is settled. */
  async keep(): Promise<void> {}

  /** Ends reading; what is not in memory stays in the log. */
  end(): void {
    this.#backlog.close();
    this.#lost.close();
    this.#waiters.leave(new ColdpathError("DEADLINE", "the recorder closed; the rows are in the log"));
  }

  #onPassed(): void {
    this.#lost.read();
    if (!this.#backlog.isBehind) this.#tellMissing();
  }

  /** Nothing is left to be read: rows of unknown fate are in memory, or nowhere. */
  #tellMissing(): void {
    const { fates, onMissing } = this.#options;
    const inMemory = this.#memoryFrames;
    for (const { run, ...span } of this.#rowsOnDisk()) {
      const missing = new SeqSet(fates.open(run, span.first, span.last));
      for (const { first, last } of this.#lost.of(run)) missing.remove(first, last);
      without(missing, run, inMemory);
      for (const { first, last } of missing.ranges) {
        const rows = { run, firstSeq: first, count: last - first + 1 };
        this.unreadable(rows);
        onMissing(rows);
      }
    }
  }

  /** Rows that the log took, those of earlier starts included, by run. */
  #rowsOnDisk(): (SeqRange & { readonly run: bigint })[] {
    const { identity, inherited } = this.#options;
    const own = { run: identity.run, first: 1, last: this.#syncedSeq };
    const earlier = inherited.runs.flatMap(({ run, ranges }) => ranges.map((range) => ({ run, ...range })));
    return [own, ...earlier];
  }

  get #memoryFrames(): Frame[] {
    return [...this.#waitingFrames, ...this.#batches.frames];
  }

  #giveUp(rows: GivenUp): void {
    const { table, fates, identity, onGivenUp } = this.#options;
    const { run, inherited, count } = rows;
    fates.skipped(run, [rows]);
    this.#lost.taken(run, rows);
    if (!inherited) this.#settled += count;
    const failure = new ColdpathError(
      "BATCH_FAILED",
      `${count} rows of ${table.name} were purged from the log`,
    );
    if (run === identity.run) this.#waiters.giveUp(rows, failure);
    onGivenUp(rows);
  }

  /** Frames in memory that are in no batch yet. */
  get #waitingFrames(): Frame[] {
    const again = this.#again.flatMap(({ batch }) => batch.found);
    return [...this.#queue.frames, ...again, ...this.#backlog.gathered];
  }

  get #windowBytes(): number {
    return this.#queue.bytes + this.#again.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** In one step, so that frames and end are in one commit. */
  #takeGroup(frames: readonly OpenFrame[], rows: number, answer: KeyedAnswer): Promise<number> {
    const group = randomBytes(8).readBigUInt64LE() | 1n;
    this.#frames.addGroup(frames, group);
    this.#taken += rows;
    return this.#options.commits.end({ kind: "group_end", group, ...answer });
  }

  /** Whether another frame may be kept in memory. */
  get #hasWindow(): boolean {
    const { budget, queueRows } = this.#options;
    if (this.#windowBytes < FLOOR_BYTES) return true;
    return this.#queue.rows < queueRows && hasWindow(budget);
  }

  /**
   * Whether a frame may be kept though others before it are to be read back: live rows do not wait for a backlog. These have room of their
   * own, which the backlog does not take.
   */
  get #hasRoomAhead(): boolean {
    const { budget, queueRows } = this.#options;
    const mostBytes = Math.min(AHEAD_BYTES, budget.max * AHEAD_SHARE);
    return this.#queue.liveRows < queueRows / 2 && this.#queue.liveBytes < mostBytes;
  }

  /** The newest rows are those that somebody looks at: older ones give way, which are in the log and come back with the backlog. */
  #makeRoomAhead(): boolean {
    if (this.#hasRoomAhead) return true;
    const frames = this.#queue.letGo((frame) => this.#backlog.isAhead(frame));
    for (const frame of frames) {
      this.#options.budget.add(-frame.payload.length);
      this.#backlog.letGo(frame);
    }
    return this.#hasRoomAhead;
  }

  /** Whether more may be read back, however much live rows hold. */
  get #hasRoomBack(): boolean {
    const { budget, queueRows } = this.#options;
    const hasBytes = this.#windowBytes - this.#queue.liveBytes < FLOOR_BYTES;
    return (
      this.#windowBytes < FLOOR_BYTES || (this.#queue.rows < queueRows && (hasBytes || hasWindow(budget)))
    );
  }

  #push(frame: Frame): void {
    this.#options.budget.add(frame.payload.length);
    this.#queue.push(frame);
    const isOwn = frame.run === this.#options.identity.run;
    if (this.#isClosed || (isOwn && frame.firstSeq <= this.#offerUpTo)) this.#queue.offerAll();
  }

  #sendAgain(batch: SealedBatch): void {
    const bytes = batch.found.reduce((sum, { payload }) => sum + payload.length, 0);
    this.#options.budget.add(bytes);
    this.#again.push({ batch, bytes });
    this.#options.onDue();
  }
}

/** Whether logged rows may take more memory: up to a share of all of it, as far as others have left it. */
function hasWindow(budget: MemoryBudget): boolean {
  return budget.used < budget.max * WINDOW_SHARE && !budget.full;
}

function bytesOf(frames: readonly CutFrame[]): number {
  return frames.reduce((sum, { record }) => sum + record.payload.length, 0);
}

function oldestOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
