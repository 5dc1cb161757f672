import type { Clock } from "../base/clock.js";
import { messageOf } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import type { SeqSpan } from "../buffer/batch.js";
import { BlockBuilder } from "../native/block.js";
import { columnsOf } from "../native/block-header.js";
import type { Frame } from "./frame-queue.js";
import type { LogReader, ReadFrame } from "./log-reader.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

export interface LostRowsOptions {
  readonly table: string;
  readonly clock: Clock;
  readonly reader: Pick<LogReader, "next">;
  /** The ordinal up to which the log is synced. */
  readonly synced: () => number;
  /** Frames up to this ordinal are not read back by anybody else any more. */
  readonly passed: () => number;
  /** Whether another frame may be kept in memory. */
  readonly hasRoom: () => boolean;
  readonly push: (frame: Frame) => void;
  readonly onUnreadable: (message: string) => void;
  /** The rows are damaged, which the reader told. */
  readonly onDamaged: (rows: SeqSpan & { readonly run: bigint }) => void;
}

const READ_BYTES: number = MIB;
const RETRY_MS: number = SECOND_MS;

/**
 * Rows of one table that ClickHouse had and lost, on their way back from the log. Their frames may lie within the backlog: they are read
 * behind it, and what it took on its way is {@link taken}, so that no row goes two ways.
 */
export class LostRows {
  readonly #options: LostRowsOptions;
  readonly #runs = new Map<bigint, SeqSet>();
  /** Frames up to this ordinal were looked at. */
  #after = 0;
  /** All that is looked for is in frames up to this ordinal. */
  #upTo = 0;
  /** Counts what was added: it may be of frames that are just being looked at. */
  #added = 0;
  #isReading = false;
  #isClosed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: LostRowsOptions) {
    this.#options = options;
  }

  add(run: bigint, rows: readonly SeqRange[]): void {
    const lost = this.#runs.get(run) ?? new SeqSet();
    this.#runs.set(run, lost);
    for (const { first, last } of rows) lost.add(first, last);
    this.#after = 0;
    this.#upTo = this.#options.synced();
    this.#added += 1;
    this.read();
  }

  /** These rows go to ClickHouse by another way. */
  taken(run: bigint, { firstSeq, count }: SeqSpan): void {
    this.#remove(run, firstSeq, firstSeq + count - 1);
  }

  /** Those that are still to be read. */
  of(run: bigint): readonly SeqRange[] {
    return this.#runs.get(run)?.ranges ?? [];
  }

  /** Reads as long as there is room. */
  read(): void {
    if (this.#runs.size === 0 || this.#isReading || this.#isClosed || this.#cancelRetry !== undefined) return;
    this.#isReading = true;
    this.#readAll()
      .catch((error: unknown) => {
        if (this.#isClosed) return;
        this.#options.onUnreadable(messageOf(error));
        this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
          this.#cancelRetry = undefined;
          this.read();
        });
      })
      .finally(() => {
        this.#isReading = false;
      });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
  }

  async #readAll(): Promise<void> {
    const { table, reader, hasRoom } = this.#options;
    while (this.#runs.size > 0 && !this.#isClosed && hasRoom()) {
      const after = this.#after;
      const added = this.#added;
      const upTo = Math.min(this.#upTo, this.#options.passed());
      if (after >= upTo && upTo < this.#upTo) return;
      const { frames, lastOrdinal } = await reader.next({
        table,
        after,
        upTo,
        maxBytes: READ_BYTES,
        wanted: ({ record: { run, firstSeq, count } }) => this.#lostIn(run, firstSeq, count).length > 0,
      });
      if (this.#isClosed) return;
      for (const frame of frames) this.#handBack(frame);
      // More may have been lost meanwhile.
      if (this.#added !== added) continue;
      this.#after = lastOrdinal;
      if (lastOrdinal >= this.#upTo) this.#giveUp();
    }
  }

  /** The log has not got what was not found. */
  #giveUp(): void {
    for (const [run, rows] of this.#runs)
      for (const { first, last } of rows.ranges)
        this.#options.onDamaged({ run, firstSeq: first, count: last - first + 1 });
    this.#runs.clear();
  }

  #handBack({ entry: { record }, payload }: ReadFrame): void {
    const { run, partition, firstSeq, count } = record;
    for (const { first, last } of this.#lostIn(run, firstSeq, count)) {
      this.#remove(run, first, last);
      const rows = last - first + 1;
      if (payload === undefined) {
        this.#options.onDamaged({ run, firstSeq: first, count: rows });
        continue;
      }
      const block = rows === count ? payload : cut(payload, first - firstSeq, last - firstSeq + 1);
      const openedAt = this.#options.clock.monotonic();
      this.#options.push({
        run,
        partition,
        firstSeq: first,
        count: rows,
        payload: block,
        openedAt,
        isLost: true,
      });
    }
  }

  #remove(run: bigint, first: number, last: number): void {
    const lost = this.#runs.get(run);
    lost?.remove(first, last);
    if (lost?.ranges.length === 0) this.#runs.delete(run);
  }

  #lostIn(run: bigint, firstSeq: number, count: number): readonly SeqRange[] {
    return this.#runs.get(run)?.within(firstSeq, firstSeq + count - 1) ?? [];
  }
}

/** The rows [from, to) of a block. */
function cut(block: Uint8Array, from: number, to: number): Uint8Array {
  const builder = new BlockBuilder(columnsOf(block));
  builder.appendBlock(block);
  return builder.encode(from, to);
}
