import { MIB } from "../base/units.js";

/** When a batch is offered to the sink, whichever comes first: rows, encoded bytes, milliseconds since its first row. */
export interface FlushLimits {
  readonly rows: number;
  readonly bytes: number;
  readonly age: number;
}

/** Sizes at which a batch is offered to the sink, and at which it grows no more. */
export interface BatchLimits {
  readonly offerRows: number;
  readonly offerBytes: number;
  readonly mostRows: number;
  readonly mostBytes: number;
}

/** An offered batch grows to this while the sink is busy: the parts ClickHouse likes, made from a backlog. */
const GROWN_ROWS = 100_000;
const GROWN_BYTES: number = 8 * MIB;
/** One block of ClickHouse: `max_insert_block_size` is 1,048,449 rows, and a batch must be one block to be atomic. */
const BLOCK_ROWS_MAX = 1_000_000;
const BLOCK_BYTES_MAX: number = 200 * MIB;

/**
 * @param queueRows rows that the table may hold in all; a batch stays a fraction of that
 * @param stretch factor on the flush limits, 1 to 8
 */
export function batchLimits(flush: FlushLimits, queueRows: number, stretch: number): BatchLimits {
  const offerRows = Math.min(flush.rows * stretch, Math.max(flush.rows, queueRows >> 1), BLOCK_ROWS_MAX);
  const offerBytes = Math.min(flush.bytes * stretch, BLOCK_BYTES_MAX);
  const mostRows = Math.max(offerRows, Math.min(GROWN_ROWS, queueRows >> 3));
  return { offerRows, offerBytes, mostRows, mostBytes: Math.max(offerBytes, GROWN_BYTES) };
}

const STRETCH_MAX = 8;

/** The factor within its bounds. */
export function stretchWithin(factor: number): number {
  return Math.min(STRETCH_MAX, Math.max(1, factor));
}
