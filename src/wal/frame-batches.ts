import assert from "node:assert";
import { createHash } from "node:crypto";
import { ColdpathError } from "../base/errors.js";
import { Batch, type SeqSpan } from "../buffer/batch.js";
import type { BuilderPool } from "../buffer/builder-pool.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { Taken } from "../buffer/row-buffer.js";
import { BlockBuilder } from "../native/block.js";
import { columnsOf } from "../native/block-header.js";
import type { Table } from "../schemas/table.js";
import type { Frame } from "./frame-queue.js";

/** Frames that the sink has as a batch. */
export interface TakenFrames extends Taken {
  readonly frames: readonly Frame[];
  /** Monotonic milliseconds when its oldest row was taken, or read back. */
  readonly openedAt: number;
}

export interface FrameBatchesOptions {
  readonly table: Table;
  /** Builders with the columns that the table has now. */
  readonly pool: BuilderPool;
  readonly budget: MemoryBudget;
  /** All rows of the frames are through. */
  readonly onSettled: (frames: readonly Frame[], failure: Error | undefined) => void;
}

/** The name of a batch, and whether its rows were logged by an earlier start. */
export interface BatchName {
  /** As it is, or made of the frames that the batch gets. */
  readonly number: number | ((frames: readonly SeqSpan[]) => number);
  readonly inherited: boolean;
  /** The generation of its token that is on disk; undefined: none is, or the journal knows. */
  readonly sealed?: number | undefined;
}

/** Numbers of batches of earlier starts that no seal names begin here: no start gives so many by counting. */
const INHERITED_FROM: number = 2 ** 40;
const INHERITED_BYTES = 6;

/**
 * The number of a batch that no seal names: the same whenever these very frames become a batch, so that ClickHouse takes them once, should two
 * copies of a log bring them at the same time.
 */
export function numberOfFrames(frames: readonly SeqSpan[]): number {
  const text = frames.map(({ firstSeq, count }) => `${firstSeq}+${count}`).join();
  const digest = createHash("sha256").update(text).digest();
  return INHERITED_FROM + digest.readUIntBE(0, INHERITED_BYTES);
}

/** Makes batches of frames: their blocks are put together, not decoded into rows. */
export class FrameBatches {
  readonly #options: FrameBatchesOptions;
  readonly #memory = new Map<
    Taken,
    { readonly builder: BlockBuilder; readonly bytes: number; pooled: boolean }
  >();

  constructor(options: FrameBatchesOptions) {
    this.#options = options;
  }

  /** Monotonic milliseconds when the oldest row was taken that is in a batch. */
  get oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const taken of this.#memory.keys()) {
      const { openedAt } = taken as TakenFrames;
      if (oldest === undefined || openedAt < oldest) oldest = openedAt;
    }
    return oldest;
  }

  /** Those of all batches. */
  get frames(): Frame[] {
    return [...this.#memory.keys()].flatMap((taken) => (taken as TakenFrames).frames);
  }

  get rows(): number {
    let rows = 0;
    for (const taken of this.#memory.keys()) rows += taken.rows;
    return rows;
  }

  /** Encoded bytes of all batches. */
  get bytes(): number {
    let bytes = 0;
    for (const each of this.#memory.values()) bytes += each.bytes;
    return bytes;
  }

  /**
   * A batch of the frames that begin the list and have the same columns: a log written before the table was changed has frames
   * of both kinds. `used` says how many these are.
   */
  make(frames: readonly Frame[], { number, inherited, sealed }: BatchName) {
    const { table, budget, onSettled } = this.#options;
    const { builder, used, pooled } = this.#join(frames);
    const { partition, openedAt } = frames[0]!;
    const own = frames.slice(0, used);
    const place = {
      table,
      // A frame says by name where it belongs; its event times were looked at when its rows were taken.
      partition: { key: partition, from: -Infinity, to: Infinity },
      inherited,
      sealed,
      number: typeof number === "number" ? number : number(own),
      openedAt,
      frames: own.map(({ firstSeq, count }) => ({ firstSeq, count })),
    };
    const batch = new Batch(place, builder);
    const ticket = { settle: (failure?: Error) => onSettled(own, failure) };
    const open: TakenFrames = { rows: batch.rows, ticket, frames: own, openedAt };
    const { bytes } = builder;
    budget.add(bytes);
    this.#memory.set(open, { builder, bytes, pooled });
    return { open, batch, used };
  }

  release(open: Taken): void {
    const memory = this.#memory.get(open);
    assert(memory !== undefined, "a batch is released once");
    this.#memory.delete(open);
    this.#options.budget.add(-memory.bytes);
    if (memory.pooled) this.#options.pool.give(memory.builder);
  }

  #join(frames: readonly Frame[]): { builder: BlockBuilder; used: number; pooled: boolean } {
    const { pool } = this.#options;
    const first = frames[0]!.payload;
    let builder = pool.take();
    let pooled = true;
    if (!appends(builder, first)) {
      pool.give(builder);
      builder = new BlockBuilder(columnsOf(first));
      pooled = false;
      builder.appendBlock(first);
    }
    let used = 1;
    while (used < frames.length && appends(builder, frames[used]!.payload)) used += 1;
    return { builder, used, pooled };
  }
}

/** Whether the block has the builder's columns; then its rows are added. */
function appends(builder: BlockBuilder, block: Uint8Array): boolean {
  try {
    builder.appendBlock(block);
    return true;
  } catch (error) {
    if (error instanceof ColdpathError && error.code === "BLOCK_COLUMNS") return false;
    throw error;
  }
}
