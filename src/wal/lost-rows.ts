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
  readonly upTo: () => number;
  /** Whether another frame may be kept in memory. */
  readonly hasRoom: () => boolean;
  readonly push: (frame: Frame) => void;
  readonly onUnreadable: (message: string) => void;
  /** The rows are damaged, which the reader told. */
  readonly onDamaged: (rows: SeqSpan & { readonly run: bigint }) => void;
}

const READ_BYTES: number = MIB;
const RETRY_MS: number = SECOND_MS;

/** Rows of one table that ClickHouse had and lost, on their way back from the log. */
export class LostRows {
  readonly #options: LostRowsOptions;
  readonly #runs = new Map<bigint, SeqSet>();
  /** Frames up to this ordinal were looked at. */
  #after = 0;
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
    this.#added += 1;
    this.read();
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
    const { table, reader, upTo, hasRoom } = this.#options;
    while (this.#runs.size > 0 && !this.#isClosed && hasRoom()) {
      const after = this.#after;
      const added = this.#added;
      const { frames, lastOrdinal } = await reader.next({
        table,
        after,
        upTo: upTo(),
        maxBytes: READ_BYTES,
        wanted: ({ record: { run, firstSeq, count } }) => this.#lostIn(run, firstSeq, count).length > 0,
      });
      if (this.#isClosed) return;
      for (const frame of frames) this.#handBack(frame);
      // More may have been lost meanwhile.
      if (this.#added !== added) continue;
      this.#after = lastOrdinal;
      // What was not found is damaged, which the reader told.
      if (lastOrdinal >= upTo()) this.#runs.clear();
    }
  }

  #handBack({ entry: { record }, payload }: ReadFrame): void {
    const { run, partition, firstSeq, count } = record;
    for (const { first, last } of this.#lostIn(run, firstSeq, count)) {
      this.#runs.get(run)!.remove(first, last);
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
    if (this.#runs.get(run)?.ranges.length === 0) this.#runs.delete(run);
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
