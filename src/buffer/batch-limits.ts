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

/** What a table may hold in all. */
export interface BatchRoom {
  readonly rows: number;
  readonly bytes: number;
}

/** Limits that are stretched end at this share of the room, unless the configured ones are beyond it. */
const STRETCHED_SHARE = 0.5;
/** As large as that an offered batch may grow. */
const GROWN_SHARE = 0.125;

/**
 * @param room of which a batch stays a fraction: dropping one is not dropping all, and its body, which is as large again, finds room beside it
 * @param stretch factor on the flush limits, 1 to 8
 */
export function batchLimits(flush: FlushLimits, room: BatchRoom, stretch: number): BatchLimits {
  const offerRows = Math.min(flush.rows * stretch, atLeast(flush.rows, room.rows), BLOCK_ROWS_MAX);
  // The body is as large again.
  const offerBytes = Math.min(flush.bytes * stretch, atLeast(flush.bytes, room.bytes / 2), BLOCK_BYTES_MAX);
  const mostRows = Math.max(offerRows, Math.min(GROWN_ROWS, Math.floor(room.rows * GROWN_SHARE)));
  const mostBytes = Math.max(offerBytes, Math.min(GROWN_BYTES, Math.floor(room.bytes * GROWN_SHARE)));
  return { offerRows, offerBytes, mostRows, mostBytes };
}

function atLeast(configured: number, room: number): number {
  return Math.max(configured, Math.floor(room * STRETCHED_SHARE));
}

const STRETCH_MAX = 8;

/** The factor within its bounds. */
export function stretchWithin(factor: number): number {
  return Math.min(STRETCH_MAX, Math.max(1, factor));
}
