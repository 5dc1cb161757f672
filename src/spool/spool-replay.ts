import type { Clock } from "../base/clock.js";
import { messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Batch } from "../buffer/batch.js";
import { BuilderPool } from "../buffer/builder-pool.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { Taken } from "../buffer/row-buffer.js";
import { sentColumns } from "../buffer/stamp.js";
import type { Table } from "../schemas/table.js";
import { FrameBatches, numberOfFrames } from "../wal/frame-batches.js";
import type { KeptBatch } from "./spooled-batch.js";
import type { Readable, TableSpool } from "./table-spool.js";

export interface SpoolReplayOptions {
  readonly table: Table;
  readonly spool: TableSpool;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  /** Whether rows of the spool may go now: ClickHouse is there, and what goes before them is through. */
  readonly mayReplay: () => boolean;
  /** No row of this moment waits. */
  readonly isQuiet: () => boolean;
  /** A batch can be taken. */
  readonly onDue: () => void;
  readonly onUnreadable: (message: string) => void;
}

/** A batch is only read back while it leaves so much of the memory to others. */
const MEMORY_SHARE = 0.75;
/** After a batch there is a pause of so many times what it took while there are live rows: the rest of the time is theirs. */
const PAUSE = 1;
/** A batch that could not be read lets others go first for so long. */
const AGAIN_MS: number = 10 * SECOND_MS;

/** Reads batches of a spool back, one at a time, and gives them to the sink as they were. */
export class SpoolReplay {
  readonly #options: SpoolReplayOptions;
  readonly #batches: FrameBatches;
  #isReading = false;
  /** Read, and not taken by the sink. */
  #ahead: { readonly read: Readable; readonly payload: Uint8Array } | undefined;
  /** With the sink. */
  #out: { readonly open: Taken; readonly read: Readable; readonly since: number } | undefined;
  #notBefore = 0;
  #cancelPause: (() => void) | undefined;
  #isStopped = false;
  /** Monotonic milliseconds before which these are not tried again. */
  readonly #unreadable = new WeakMap<KeptBatch, number>();

  constructor(options: SpoolReplayOptions) {
    this.#options = options;
    const { table, budget } = options;
    const onSettled = (_: unknown, failure: Error | undefined): void =>
      this.#out?.read.batch.ticket?.settle(failure);
    this.#batches = new FrameBatches({
      table,
      budget,
      onSettled,
      pool: new BuilderPool(sentColumns(table), budget),
    });
  }

  /** Whether a batch can be taken now. */
  get ready(): boolean {
    return this.#ahead !== undefined && this.#isFree && this.#options.mayReplay();
  }

  /** Whether the sink has one. */
  get isOut(): boolean {
    return this.#out !== undefined;
  }

  /** Bytes of rows that were read and not taken. */
  get bytes(): number {
    return this.#ahead?.payload.length ?? 0;
  }

  /** Reads the next batch, if it may go. */
  prepare(): void {
    const { spool, mayReplay, onUnreadable } = this.#options;
    if (this.#isStopped || !this.#isFree || this.#isReading || !mayReplay()) return;
    if (this.#ahead !== undefined) {
      this.#options.onDue();
      return;
    }
    const now = this.#options.clock.monotonic();
    const read = spool.next((kept) => (this.#unreadable.get(kept) ?? 0) <= now);
    if (read === undefined || !this.#hasRoom(read.batch.bytes)) return;
    if (read.payload !== undefined) {
      this.#have(read, read.payload);
      return;
    }
    this.#isReading = true;
    spool.hold(read.batch);
    this.#read(read).then(
      () => this.#endRead(),
      (error: unknown) => {
        this.#unreadable.set(read.kept!, this.#options.clock.monotonic() + AGAIN_MS);
        spool.letGo(read);
        onUnreadable(messageOf(error));
        this.#endRead();
      },
    );
  }

  /** The batch that was read, as the sink is to have it. */
  take(): { readonly open: Taken; readonly batch: Batch } {
    const { budget, clock } = this.#options;
    const { read, payload } = this.#ahead!;
    this.#ahead = undefined;
    budget.add(-payload.length);
    const {
      run,
      partition,
      firstSeq,
      count,
      number = numberOfFrames([read.batch]),
      inherited,
      sealed,
    } = read.batch;
    const frame = { run, partition, firstSeq, count, payload, openedAt: clock.monotonic() };
    const made = this.#batches.make([frame], { number, inherited, sealed });
    this.#out = { open: made.open, read, since: clock.monotonic() };
    return made;
  }

  /** The sink has done with a batch; false if that is none of these. */
  release(open: Taken): boolean {
    const out = this.#out;
    if (out?.open !== open) return false;
    const { spool, clock, isQuiet, onDue } = this.#options;
    this.#out = undefined;
    this.#batches.release(open);
    spool.letGo(out.read);
    if (this.#isStopped) return true;
    const now = clock.monotonic();
    this.#notBefore = isQuiet() ? now : now + (now - out.since) * PAUSE;
    this.#cancelPause?.();
    this.#cancelPause = clock.after(this.#notBefore - now, () => {
      this.#cancelPause = undefined;
      this.prepare();
      if (this.ready) onDue();
    });
    return true;
  }

  /** ClickHouse is away, or others need the memory: what was read is on disk. */
  putBack(): void {
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    this.#ahead = undefined;
    this.#options.budget.add(-ahead.payload.length);
    this.#options.spool.letGo(ahead.read);
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelPause?.();
    this.putBack();
  }

  get #isFree(): boolean {
    return this.#out === undefined && this.#options.clock.monotonic() >= this.#notBefore;
  }

  #hasRoom(bytes: number): boolean {
    const { budget } = this.#options;
    return budget.used === 0 || budget.used + bytes <= budget.max * MEMORY_SHARE;
  }

  async #read(read: Readable): Promise<void> {
    const { spool, budget } = this.#options;
    const { bytes } = read.batch;
    // It has its room before others take that, who do not know of it yet.
    budget.add(bytes);
    let payload: Uint8Array | undefined;
    try {
      payload = await spool.log!.read(read.kept!.place.ordinal);
    } finally {
      budget.add(-bytes);
    }
    if (payload === undefined) spool.damaged(read);
    else if (this.#isStopped) spool.letGo(read);
    else this.#have(read, payload);
  }

  #endRead(): void {
    this.#isReading = false;
    if (this.#ahead === undefined) this.prepare();
  }

  #have(read: Readable, payload: Uint8Array): void {
    this.#options.spool.hold(read.batch);
    this.#options.budget.add(payload.length);
    this.#ahead = { read, payload };
    this.#options.onDue();
  }
}
