import type { Row } from "../native/block.js";
import type { Batch } from "./batch.js";
import type { FlushLimits } from "./batch-limits.js";
import type { Droppable } from "./drop-permit.js";
import type { DroppedRows, DropRule } from "./droppable-rows.js";
import type { Origin } from "./origin.js";
import type { Ticket } from "./ticket.js";

/** The rows of one batch that was taken from a buffer, until they are released. */
export interface Taken {
  readonly rows: number;
  /** Tells those who wait for the rows what became of them; once. */
  readonly ticket: { settle(failure?: Error): void };
}

/** The rows of one table on their way to the sink, as those see it who put rows in and who take batches out. */
export interface RowBuffer {
  /** Rows taken by this start whose fate is not settled. */
  readonly pendingRows: number;
  /** Rows that are held in memory, those with the sink included. */
  readonly heldRows: number;
  /** Encoded bytes of rows that are held in memory, more or less. */
  readonly pendingBytes: number;
  /** Monotonic milliseconds when the oldest row not with the sink was taken. */
  readonly oldestAt: number | undefined;
  /** Why the next row cannot be taken; undefined if it can. */
  readonly refusal: string | undefined;
  /** Share of its room that is taken; at 1 the next row cannot be taken. */
  readonly usage: number;
  /** Whether rows can be taken again for a while, after a {@link refusal}. */
  readonly hasRoom: boolean;
  readonly hasDue: boolean;
  readonly stretched: number;
  /**
   * Takes a row.
   * @param skipped rows of its series that the policy left out before it
   * @throws ValueError; nothing has changed then.
   */
  append(row: Row, origin: Origin | undefined, skipped?: number): { readonly ticket: Ticket };
  /** The next due batch, frozen; the caller settles its rows and releases it. */
  take(): { readonly open: Taken; readonly batch: Batch } | undefined;
  /**
   * Takes the oldest rows that the sink has not, to be given up; the caller settles and releases them. None if the buffer's rows are
   * safe elsewhere.
   */
  takeOldest(): Taken | undefined;
  /**
   * Drops rows of the oldest batch that the sink has not taken and that has some which may be dropped. None if there is no such batch,
   * or if the buffer's rows are safe elsewhere.
   *
   * @param failure what those are told who wait for the rows
   */
  dropOldest(rule: DropRule, which: Droppable, failure: (rows: number) => Error): DroppedRows | undefined;
  /** The fate of that many rows is known; `of`: the batch, or the part of one, that they were sent in. */
  settle(rows: number, of?: Batch): void;
  /** All rows of a taken batch are settled: its memory serves the next. */
  release(open: Taken): void;
  /** Offers all rows to the sink, however few and young they are. */
  offerAll(): void;
  /** Resolves when the fate of all rows taken before the call is known. */
  settled(): Promise<void>;
  /** Other limits from now on, also for what is open. */
  setFlush(flush: FlushLimits): void;
  /** Multiplies the flush limits (1 to 8): ClickHouse asks for fewer, larger parts. */
  stretch(factor: number): void;
  /** The sink takes only what is there; stops what runs by time. */
  close(): void;
  /** The sink takes nothing more: what it left is brought to where it is safe, by the deadline, if there is such a place. */
  keep(deadlineMs: number): Promise<void>;
}
