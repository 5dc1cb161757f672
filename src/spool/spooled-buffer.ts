import { type Clock, within } from "../base/clock.js";
import { type Deferred, deferred } from "../base/deferred.js";
import type { Batch } from "../buffer/batch.js";
import type { FlushLimits } from "../buffer/batch-limits.js";
import type { Droppable } from "../buffer/drop-permit.js";
import type { DroppedRows, DropRule } from "../buffer/droppable-rows.js";
import { type Journal, NO_JOURNAL } from "../buffer/journal.js";
import type { OpenBatch } from "../buffer/open-batch.js";
import type { Origin } from "../buffer/origin.js";
import type { RowBuffer, Taken } from "../buffer/row-buffer.js";
import type { TableBuffer } from "../buffer/table-buffer.js";
import type { Ticket } from "../buffer/ticket.js";
import type { Row } from "../native/block.js";
import { numberOf } from "../wal/carry-rule.js";
import type { SpoolReplay } from "./spool-replay.js";
import type { TableSpool } from "./table-spool.js";

export interface SpooledBufferOptions {
  readonly live: TableBuffer;
  readonly spool: TableSpool;
  readonly replay: SpoolReplay;
  readonly clock: Clock;
  /** Milliseconds that rows wait in memory: an outage that is shorter leaves no trace on disk. */
  readonly afterMs: number;
  /** ClickHouse does not answer. */
  readonly isDown: () => boolean;
}

const LOOK_MS = 250;

/** Rows that were not stored, of which it is not known whether they were. */
interface Left {
  readonly unsent: number;
  readonly unconfirmed: number;
}

interface Sent {
  readonly open: OpenBatch;
  readonly batch: Batch;
}

/**
 * The rows of one table that wait in memory, and on disk while ClickHouse is away. Batches that were never sent go there; they come back
 * as they were when it is there again and live rows leave room.
 */
export class SpooledBuffer implements RowBuffer {
  readonly #options: SpooledBufferOptions;
  /** Live batches that the sink has, by number. */
  readonly #sent = new Map<number, Sent>();
  /** Of these, those of which some rows are settled, or that were split: what is left of them has no name of its own on disk. */
  readonly #touched = new Set<number>();
  /** Batches that the sink gave back at the end as it took them. */
  readonly #back: Sent[] = [];
  #cancelLook: (() => void) | undefined;
  #isLooking = false;
  #phase: "open" | "closing" | "kept" = "open";
  #waiting: { readonly isOver: () => boolean; readonly waiter: Deferred }[] = [];

  constructor(options: SpooledBufferOptions) {
    this.#options = options;
  }

  /** What the sink tells of batches: those in memory have no journal. */
  get journal(): Journal {
    const of = (batch: Batch): Journal =>
      batch.frames.length > 0 ? this.#options.spool.log!.journal : NO_JOURNAL;
    return {
      open: (batch) => of(batch).open(batch),
      seal: (batch, generation) => of(batch).seal(batch, generation),
      split: (batch, halves) => {
        if (batch.frames.length === 0) this.#touched.add(numberOf(batch.name));
        return of(batch).split(batch, halves);
      },
      skip: (batch) => of(batch).skip(batch),
      stored: (batch) => of(batch).stored(batch),
    };
  }

  get pendingRows(): number {
    return this.#options.live.pendingRows + this.#options.spool.ownRows;
  }

  get heldRows(): number {
    return this.#options.live.heldRows;
  }

  get pendingBytes(): number {
    const { live, spool, replay } = this.#options;
    return live.pendingBytes + spool.writingBytes + replay.bytes;
  }

  get oldestAt(): number | undefined {
    return this.#options.live.oldestAt;
  }

  /** What is left behind at the end, of which the sink gave up so many rows. */
  leftOf({ unconfirmed: given }: Left): Left & { readonly logged: number } {
    const logged = this.#options.spool.safeRows;
    const rest = this.pendingRows - logged;
    const unconfirmed = Math.min(rest, given);
    return { unsent: rest - unconfirmed, unconfirmed, logged };
  }

  /** Rows of earlier starts whose fate is not known. */
  get inheritedRows(): number {
    return this.#options.spool.inheritedRows;
  }

  get refusal(): string | undefined {
    return this.#options.live.refusal;
  }

  get usage(): number {
    return this.#options.live.usage;
  }

  get hasRoom(): boolean {
    return this.#options.live.hasRoom;
  }

  get hasDue(): boolean {
    return this.#options.live.hasDue || this.#options.replay.ready;
  }

  get stretched(): number {
    return this.#options.live.stretched;
  }

  append(row: Row, origin: Origin | undefined, skipped?: number): { readonly ticket: Ticket } {
    return this.#options.live.append(row, origin, skipped);
  }

  take() {
    const { live, replay } = this.#options;
    const sent = live.take();
    if (sent === undefined) return replay.ready ? replay.take() : undefined;
    this.#sent.set(sent.open.number, sent);
    return sent;
  }

  takeOldest(): Taken | undefined {
    return this.#options.live.takeOldest();
  }

  dropOldest(rule: DropRule, which: Droppable, failure: (rows: number) => Error): DroppedRows | undefined {
    return this.#options.live.dropOldest(rule, which, failure);
  }

  settle(rows: number, of?: Batch): void {
    const { live, spool } = this.#options;
    if (of !== undefined && of.frames.length > 0) {
      spool.settle(rows);
      return;
    }
    if (of !== undefined) this.#touched.add(numberOf(of.name));
    live.settle(rows);
  }

  release(taken: Taken): void {
    if (!this.#options.replay.release(taken)) this.#releaseLive(taken as OpenBatch);
    this.lookSoon();
  }

  offerAll(): void {
    this.#options.live.offerAll();
    this.lookSoon();
  }

  async settled(): Promise<void> {
    const { live, spool, replay } = this.#options;
    // At the end, what is on disk is safe there.
    if (this.#phase !== "open")
      return this.#until(() => live.pendingRows === 0 && !replay.isOut && !spool.isWriting);
    await Promise.all([live.settled(), spool.settled()]);
  }

  /** Resolves when the fate of all rows of earlier starts is known, or the recorder closes. */
  async replayed(): Promise<void> {
    const { spool } = this.#options;
    await this.#until(() => this.#phase !== "open" || (this.inheritedRows === 0 && !spool.isUnread));
  }

  setFlush(flush: FlushLimits): void {
    this.#options.live.setFlush(flush);
  }

  stretch(factor: number): void {
    this.#options.live.stretch(factor);
  }

  close(): void {
    this.#phase = "closing";
    this.#options.live.close();
    this.#options.replay.stop();
    this.lookSoon();
  }

  async keep(deadlineMs: number): Promise<void> {
    const { live, spool, clock } = this.#options;
    const endsAt = clock.monotonic() + deadlineMs;
    for (;;) {
      const bytes = this.#back[0]?.open.builder.bytes ?? live.bytesAway(Infinity);
      if (bytes === undefined) break;
      if (!spool.canTake(bytes)) {
        // A batch that is written, or old ones that are given up: what follows may need more than one of these.
        if (spool.isIdle || clock.monotonic() >= endsAt) break;
        await within(clock, endsAt - clock.monotonic(), spool.idle);
        continue;
      }
      const sent = this.#back.shift();
      if (sent === undefined) this.#move(Infinity);
      else this.#put(sent);
    }
    await within(clock, endsAt - clock.monotonic(), spool.idle);
    this.#phase = "kept";
    for (const { open } of this.#back) live.release(open);
    this.#cancelLook?.();
  }

  /** Something may have changed: rows are due, the link is another, the disk answered. */
  lookSoon(): void {
    if (this.#isLooking || this.#phase === "kept") return;
    this.#isLooking = true;
    // Not at once: whoever tells may be in the middle of a batch.
    setImmediate(() => {
      this.#isLooking = false;
      if (this.#phase !== "kept") this.#look();
    });
  }

  #look(): void {
    const { live, spool, replay, clock, afterMs } = this.#options;
    spool.tend();
    if (this.#isAway) {
      replay.putBack();
      this.#move(this.#phase === "open" ? clock.monotonic() - afterMs : Infinity);
    } else replay.prepare();
    this.#waiting = this.#waiting.filter(({ isOver, waiter }) => {
      if (!isOver()) return true;
      waiter.resolve();
      return false;
    });
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    if (live.pendingRows > 0 || !spool.isEmpty || spool.isUnread)
      this.#cancelLook = clock.after(LOOK_MS, () => {
        this.#cancelLook = undefined;
        this.lookSoon();
      });
  }

  /** Whether the sink takes nothing: the link is down, or a due batch waits for so long that ClickHouse hangs or refuses the table. */
  get #isAway(): boolean {
    const { live, clock, afterMs, isDown } = this.#options;
    if (isDown()) return true;
    const since = live.dueSince;
    return since !== undefined && clock.monotonic() - since > afterMs + live.flushAge;
  }

  /** Due batches go to disk that were opened before, or grow no more. */
  #move(openedBefore: number): void {
    const { live, spool } = this.#options;
    for (;;) {
      const bytes = live.bytesAway(openedBefore);
      if (bytes === undefined || !spool.canTake(bytes)) return;
      this.#put(live.takeAway(openedBefore)!);
    }
  }

  #put({ open, batch }: Sent): void {
    const { live, spool } = this.#options;
    const { number, rows, openedAt, ticket } = open;
    spool.put(batch, { number, generation: 0, openedAt, ticket });
    live.settle(rows);
    live.release(open);
  }

  #releaseLive(open: OpenBatch): void {
    const sent = this.#sent.get(open.number);
    this.#sent.delete(open.number);
    const isTouched = this.#touched.delete(open.number);
    if (this.#phase === "closing" && sent !== undefined && !isTouched) this.#back.push(sent);
    else this.#options.live.release(open);
  }

  async #until(isOver: () => boolean): Promise<void> {
    if (isOver()) return;
    const waiter = deferred();
    this.#waiting.push({ isOver, waiter });
    await waiter.promise;
  }
}
