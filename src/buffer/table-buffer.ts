import assert from "node:assert";
import type { Clock } from "../base/clock.js";
import { KIB } from "../base/units.js";
import type { BlockBuilder, Row } from "../native/block.js";
import { ByteBuffer } from "../native/byte-buffer.js";
import type { Table } from "../schemas/table.js";
import { Batch } from "./batch.js";
import { type BatchLimits, batchLimits, type FlushLimits, stretchWithin } from "./batch-limits.js";
import { BuilderPool } from "./builder-pool.js";
import type { Droppable } from "./drop-permit.js";
import { type DroppedRows, type DropRule, type Run, sortOut } from "./droppable-rows.js";
import type { EventWindow } from "./event-window.js";
import type { MemoryBudget } from "./memory-budget.js";
import { OpenBatch } from "./open-batch.js";
import type { Origin } from "./origin.js";
import type { Partition } from "./partition.js";
import type { RowBuffer } from "./row-buffer.js";
import { RowRouter } from "./row-router.js";
import { type Identity, Stamp, sentColumns } from "./stamp.js";

export interface TableBufferOptions {
  readonly table: Table;
  readonly flush: FlushLimits;
  /** Rows the table may hold in all; a batch stays a fraction of that, so that dropping one is not dropping all. */
  readonly queueRows: number;
  readonly identity: Identity;
  readonly window: EventWindow;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  /** Partitions that may be open at once; the fullest is closed for another. */
  readonly openMax?: number;
  /** Called each time a batch becomes due. */
  readonly onDue: () => void;
}

const OPEN_MAX = 64;
/** A batch's size is looked at after about so many bytes, but after 64 rows at the latest. */
const LOOK_BYTES: number = 64 * KIB;
const LOOK_ROWS = 64;
/** Room is announced again below this share of the queue, so that a table at its limit does not flap. */
const ROOM_SHARE = 0.75;

/** The rows of one table on their way to the sink: one columnar builder per partition, cut into batches. */
export class TableBuffer implements RowBuffer {
  readonly #options: TableBufferOptions;
  readonly #stamp: Stamp;
  readonly #pool: BuilderPool;
  readonly #router: RowRouter<OpenBatch>;
  /** Offered to the sink, oldest first. */
  readonly #due: OpenBatch[] = [];
  /** All batches whose rows are not settled, those with the sink included. */
  readonly #unsettled = new Set<OpenBatch>();
  #flush: FlushLimits;
  #nextSeq = 1;
  #nextNumber = 1;
  #stretch = 1;
  #pendingRows = 0;
  #pendingBytes = 0;
  #cancelAgeTimer: (() => void) | undefined;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column that cannot be written. */
  constructor(options: TableBufferOptions) {
    this.#options = options;
    this.#flush = options.flush;
    this.#stamp = new Stamp(options.identity, options.table);
    const { table, window, budget } = options;
    this.#pool = new BuilderPool(sentColumns(table), budget);
    const begin = this.#begin.bind(this);
    this.#router = new RowRouter({ table, window, pool: this.#pool, begin });
  }

  /** Rows taken whose fate is not settled: open, due or with the sink. */
  get pendingRows(): number {
    return this.#pendingRows;
  }

  get heldRows(): number {
    return this.#pendingRows;
  }

  /** Their encoded bytes, as of the last look at each batch. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Monotonic milliseconds when the oldest row not with the sink was taken. */
  get oldestAt(): number | undefined {
    let oldest = this.#due[0]?.openedAt;
    for (const open of this.#router.open)
      if (oldest === undefined || open.openedAt < oldest) oldest = open.openedAt;
    return oldest;
  }

  get refusal(): string | undefined {
    return this.#pendingRows >= this.#options.queueRows ? "queue_full" : undefined;
  }

  get usage(): number {
    return this.#pendingRows / this.#options.queueRows;
  }

  get hasRoom(): boolean {
    return this.usage < ROOM_SHARE;
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#unsettled].map(untilSettled));
  }

  get hasDue(): boolean {
    return this.#due.length > 0;
  }

  /**
   * Takes a row and gives the batch it went into.
   *
   * @param skipped rows of its series that the policy left out before it
   * @throws ValueError; nothing has changed then.
   */
  append(row: Row, origin: Origin | undefined, skipped = 0): OpenBatch {
    // The number follows when the rows leave, so that numbers are contiguous within a batch.
    const open = this.#router.append(row, this.#stamp.of(row, origin, 0, skipped));
    if (open.rows === 1) this.#armAgeTimer();
    this.#pendingRows += 1;
    if (open.builder.rows >= open.nextLook) this.#look(open);
    return open;
  }

  /** The oldest due batch, frozen, its rows numbered; the caller settles its rows and releases it. */
  take(): { open: OpenBatch; batch: Batch } | undefined {
    const open = this.#due.shift();
    if (open === undefined) return undefined;
    const taken = this.#frozen(open);
    open.isSending = true;
    this.#options.budget.send(open.bytes);
    return taken;
  }

  /** Monotonic milliseconds when the first row of the oldest due batch was taken. */
  get dueSince(): number | undefined {
    return this.#due[0]?.openedAt;
  }

  /** Bytes of the batch that {@link takeAway} would give, more or less; undefined if there is none. */
  bytesAway(openedBefore: number): number | undefined {
    return this.#due.find((open) => this.#isAway(open, openedBefore))?.builder.bytes;
  }

  /**
   * As {@link take}, for rows that are to wait elsewhere: the oldest due batch that grows no more or was opened before that time.
   * @param openedBefore monotonic milliseconds
   */
  takeAway(openedBefore: number): { open: OpenBatch; batch: Batch } | undefined {
    const at = this.#due.findIndex((open) => this.#isAway(open, openedBefore));
    return at < 0 ? undefined : this.#frozen(this.#due.splice(at, 1)[0]!);
  }

  /** Takes the oldest batch that the sink has not taken away from it, to be dropped; the caller settles and releases it. */
  takeOldest(): OpenBatch | undefined {
    let oldest = this.#due.shift();
    if (oldest === undefined) {
      for (const open of this.#router.open)
        if (oldest === undefined || open.openedAt < oldest.openedAt) oldest = open;
    }
    if (oldest !== undefined) this.#freeze(oldest);
    return oldest;
  }

  dropOldest(rule: DropRule, which: Droppable, failure: (rows: number) => Error): DroppedRows | undefined {
    if (which === "nothing") return undefined;
    for (const open of this.#oldestFirst()) {
      if (which !== "all" && open.isSifted) continue;
      this.#freeze(open);
      const { dropped, kept } = sortOut(open.builder, rule, which);
      if (dropped === undefined) {
        open.isSifted = true;
        this.#offer(open);
        continue;
      }
      this.#replace(open, kept);
      this.settle(dropped.rows);
      open.ticket.settle(failure(dropped.rows));
      this.release(open);
      return dropped;
    }
    return undefined;
  }

  /** The fate of that many rows is known. */
  settle(rows: number): void {
    this.#pendingRows -= rows;
    assert(this.#pendingRows >= 0, "no row is settled twice");
  }

  /** All rows of a taken batch are settled: its memory serves the next. */
  release(open: OpenBatch): void {
    if (open.isSending) this.#options.budget.send(-open.bytes);
    this.#account(open, 0);
    this.#unsettled.delete(open);
    this.#pool.give(open.builder);
  }

  /** Offers everything that is open, whatever its size and age. */
  offerAll(): void {
    for (const open of this.#router.open) this.#offer(open);
  }

  setFlush(flush: FlushLimits): void {
    this.#flush = flush;
    for (const open of [...this.#router.open]) if (this.#router.isOpen(open)) this.#look(open);
    this.#cancelAgeTimer?.();
    this.#cancelAgeTimer = undefined;
    this.#armAgeTimer();
  }

  /** Milliseconds since its first row after which a batch is due. */
  get flushAge(): number {
    return this.#flush.age * this.#stretch;
  }

  /** Multiplies the flush limits (1 to 8): ClickHouse asks for fewer, larger parts. */
  stretch(factor: number): void {
    this.#stretch = stretchWithin(factor);
  }

  get stretched(): number {
    return this.#stretch;
  }

  /** Stops the age timer. */
  close(): void {
    this.#cancelAgeTimer?.();
    this.#cancelAgeTimer = undefined;
  }

  /** Nothing: its rows are nowhere else. */
  async keep(): Promise<void> {}

  #frozen(open: OpenBatch): { open: OpenBatch; batch: Batch } {
    this.#freeze(open);
    const { partition, number, openedAt, builder } = open;
    builder.number("seq", 0, this.#nextSeq);
    this.#nextSeq += builder.rows;
    return { open, batch: new Batch({ table: this.#options.table, partition, number, openedAt }, builder) };
  }

  #isAway(open: OpenBatch, openedBefore: number): boolean {
    return open.openedAt < openedBefore || !this.#router.isOpen(open);
  }

  #begin(partition: Partition, builder: BlockBuilder): OpenBatch {
    if (this.#router.size >= (this.#options.openMax ?? OPEN_MAX)) this.#closeFullest();
    const open = new OpenBatch(this.#nextNumber, builder, partition, this.#options.clock.monotonic());
    this.#nextNumber += 1;
    this.#unsettled.add(open);
    return open;
  }

  #closeFullest(): void {
    let fullest: OpenBatch | undefined;
    for (const open of this.#router.open)
      if (fullest === undefined || open.builder.rows > fullest.builder.rows) fullest = open;
    this.#freeze(fullest!);
    this.#offer(fullest!);
  }

  #look(open: OpenBatch): void {
    const rows = open.builder.rows;
    this.#account(open, open.builder.bytes);
    const { offerRows, offerBytes, mostRows, mostBytes } = this.#limits();
    if (rows >= offerRows || open.bytes >= offerBytes) this.#offer(open);
    if (rows >= mostRows || open.bytes >= mostBytes) this.#freeze(open);
    const stride = Math.min(LOOK_ROWS, Math.max(1, Math.floor((LOOK_BYTES * rows) / (open.bytes + 1))));
    open.nextLook = Math.min(rows + stride, rows < offerRows ? offerRows : mostRows);
  }

  #account(open: OpenBatch, bytes: number): void {
    this.#pendingBytes += bytes - open.bytes;
    this.#options.budget.add(bytes - open.bytes);
    open.bytes = bytes;
  }

  #offer(open: OpenBatch): void {
    if (open.due) return;
    open.due = true;
    this.#due.push(open);
    this.#options.onDue();
  }

  /** Batches that the sink has not taken: those that are due before those that are not. */
  #oldestFirst(): OpenBatch[] {
    const open = [...this.#router.open].filter(({ due }) => !due);
    return [...this.#due, ...open.sort((a, b) => a.openedAt - b.openedAt)];
  }

  /** These rows of a batch stay in its place, and are offered: by themselves, or with what stayed of the one before. */
  #replace(open: OpenBatch, kept: readonly Run[]): void {
    const at = open.due ? this.#due.indexOf(open) : this.#due.length;
    if (open.due) this.#due.splice(at, 1);
    if (kept.length === 0) return;
    const { mostRows, mostBytes } = this.#limits();
    const before = this.#due.findLast(
      ({ partition }, index) => index < at && partition.key === open.partition.key,
    );
    const joins =
      before?.isSifted === true &&
      before.rows + open.rows <= mostRows &&
      before.bytes + open.bytes <= mostBytes;
    const rest = joins
      ? before
      : new OpenBatch(open.number, this.#pool.take(), open.partition, open.openedAt);
    const copied = new ByteBuffer();
    for (const { from, to } of kept) rest.builder.appendBlock(open.builder.encode(from, to, copied));
    if (!joins) {
      rest.due = true;
      rest.isSifted = true;
      this.#unsettled.add(rest);
      this.#due.splice(at, 0, rest);
    }
    open.rest = rest;
    this.#account(rest, rest.builder.bytes);
    this.#options.onDue();
  }

  #limits(): BatchLimits {
    const { queueRows, budget } = this.#options;
    return batchLimits(this.#flush, { rows: queueRows, bytes: budget.max }, this.#stretch);
  }

  /** No row joins the batch any more. */
  #freeze(open: OpenBatch): void {
    this.#account(open, open.builder.bytes);
    this.#router.close(open);
  }

  #armAgeTimer(): void {
    if (this.#cancelAgeTimer !== undefined) return;
    const { clock } = this.#options;
    const age = this.flushAge;
    let oldest = Infinity;
    for (const open of this.#router.open) if (!open.due) oldest = Math.min(oldest, open.openedAt);
    if (oldest === Infinity) return;
    this.#cancelAgeTimer = clock.after(Math.max(0, oldest + age - clock.monotonic()), () => {
      this.#cancelAgeTimer = undefined;
      const now = clock.monotonic();
      for (const open of this.#router.open) if (now - open.openedAt >= age) this.#offer(open);
      this.#armAgeTimer();
    });
  }
}

/** Resolves when the fate of all rows of a batch is known, also of those that stayed when others were dropped. */
async function untilSettled(open: OpenBatch): Promise<void> {
  for (let at: OpenBatch | undefined = open; at !== undefined; at = at.rest)
    await at.ticket.stored.catch(() => {});
}
