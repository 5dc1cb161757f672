import { crc32 } from "node:zlib";

/** Where a reader of the ring stood: `position` of the last record of this producer that the frame holds. */
export interface RingPosition {
  readonly producer: bigint;
  readonly position: bigint;
}

/** A frame: rows of one table, partition and run with contiguous seqs `firstSeq` … `firstSeq + count - 1`. */
export interface RowsRecord {
  readonly kind: "rows";
  readonly table: string;
  readonly partition: string;
  readonly run: bigint;
  readonly firstSeq: number;
  readonly count: number;
  /** The highest ring position of each producer whose rows are in the frame. */
  readonly positions: readonly RingPosition[];
  /** 0n: none. Otherwise the rows count only if the log holds the {@link GroupEndRecord} of the group. */
  readonly group: bigint;
  /** One Native block; it describes its own columns. */
  readonly payload: Uint8Array;
}

/** Part of a seal: the frame that starts with this seq and has so many rows. */
export interface SealedFrame {
  readonly firstSeq: number;
  readonly count: number;
}

/** These frames are one batch under this name; in the log before the first byte of the batch is sent. */
export interface SealRecord {
  readonly kind: "seal";
  readonly table: string;
  readonly partition: string;
  readonly run: bigint;
  /** The batch's name without its table, e.g. "17". */
  readonly batch: string;
  readonly generation: number;
  readonly frames: readonly SealedFrame[];
  readonly rows: number;
  /** {@link sealChecksum} of `frames`. */
  readonly checksum: number;
}

/** A batch was cut in two; its own name is never sent again. */
export interface SplitRecord {
  readonly kind: "split";
  readonly table: string;
  readonly run: bigint;
  /** The parent's name, e.g. "17" or "17.0-500". */
  readonly parent: string;
  readonly children: readonly [string, string];
}

/** Rows given up: their dead letters are on disk. */
export interface SkipRecord {
  readonly kind: "skip";
  readonly table: string;
  readonly run: bigint;
  readonly firstSeq: number;
  readonly count: number;
  readonly batch: string;
}

/** The end of an idempotent request: from here on the frames of its group count, and its answer is known. */
export interface GroupEndRecord {
  readonly kind: "group_end";
  readonly group: bigint;
  readonly key: string;
  readonly bodyHash: string;
  readonly status: number;
  readonly answer: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Everything but rows: small, and kept in memory from recovery on. */
export type MarkRecord = SealRecord | SplitRecord | SkipRecord | GroupEndRecord;

export type LogRecord = RowsRecord | MarkRecord;

/** Where the bytes of a record are: file number, first byte, and length with header and padding. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** A record without its payload, as the index at the end of a closed segment holds it. */
export interface IndexEntry {
  /**
   * The record's number in the log, 1, 2, 3 … A copy (carried forward, or written again after a failed sync) keeps the
   * number of its original: of several records with one ordinal the first in the log counts.
   */
  readonly ordinal: number;
  readonly place: Place;
  readonly record: Omit<RowsRecord, "payload"> | MarkRecord;
}

/** The checksum a seal carries: CRC-32 over first seq and count of each frame, each as 8 bytes little-endian. */
export function sealChecksum(frames: readonly SealedFrame[]): number {
  const numbers = new BigUint64Array(
    frames.flatMap(({ firstSeq, count }) => [BigInt(firstSeq), BigInt(count)]),
  );
  return crc32(new Uint8Array(numbers.buffer));
}
