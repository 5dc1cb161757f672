import type { SeqSpan } from "../buffer/batch.js";

/** A batch in the spool: one frame of its log, and the name under which it is sent. */
export interface SpooledBatch extends SeqSpan {
  readonly run: bigint;
  readonly partition: string;
  /** As in its seal; undefined if that is lost. */
  readonly number: number | undefined;
  /** The latest generation of its token that is on disk with it. */
  readonly sealed: number | undefined;
  /** An earlier start took the rows. */
  readonly inherited: boolean;
  /** Encoded bytes of its rows, more or less. */
  readonly bytes: number;
  /** Monotonic milliseconds when its first row was taken, or when it was found. */
  readonly openedAt: number;
  /** Tells those who wait for the rows what became of them; none wait for rows of an earlier start. */
  readonly ticket: { settle(failure?: Error): void; readonly stored: Promise<void> } | undefined;
}

/** Where a batch is on disk. */
export interface SpoolPlace {
  readonly ordinal: number;
  readonly segment: number;
}

/** One that is on disk. */
export interface KeptBatch {
  readonly batch: SpooledBatch;
  readonly place: SpoolPlace;
}
