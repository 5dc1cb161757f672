import type { LogDiskError } from "./disk-error.js";
import type { IndexEntry, Place } from "./records.js";
import type { SeqRange } from "./seq-set.js";

/** What a commit made durable. */
export interface Committed {
  /** Every record up to this ordinal is on the disk. */
  readonly upTo: number;
  readonly places: readonly RecordPlace[];
}

export interface RecordPlace {
  readonly ordinal: number;
  readonly place: Place;
}

/** How far the fate of the rows is known; a shortcut for the next start, never evidence. */
export interface Cursor {
  readonly logId: bigint;
  /** Every record up to this ordinal is taken into account. */
  readonly upTo: number;
  readonly tables: readonly CursorTable[];
}

export interface CursorTable {
  readonly table: string;
  readonly run: bigint;
  readonly stored: readonly SeqRange[];
  /** Rows given up, their dead letters on disk. */
  readonly skipped: readonly SeqRange[];
}

/** Rows of one run of a table that a segment holds and that count. */
export interface SegmentTable {
  readonly table: string;
  readonly run: bigint;
  readonly rows: number;
  readonly ranges: readonly SeqRange[];
}

export interface SegmentSummary {
  readonly segment: number;
  readonly bytes: number;
  /** Whether it ends in an index; one that does not is read by scanning it. */
  readonly closed: boolean;
  /** Milliseconds since 1970; 0 if the header is damaged. */
  readonly createdAt: number;
  /** Lowest and highest ordinal, copies included; `lastOrdinal < firstOrdinal` says that there is none. */
  readonly firstOrdinal: number;
  readonly lastOrdinal: number;
  readonly tables: readonly SegmentTable[];
  /** Ordinals of records here that do not count: the log has them before, or the end of their group is missing. */
  readonly dropped: readonly SeqRange[];
}

/** A place where the log is not what was written; its bytes are in `quarantine/`. */
export interface Damage {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** The record that was there, if that much is legible. */
  readonly record: IndexEntry | undefined;
}

/** What a log held when it was opened. */
export interface Recovered {
  readonly logId: bigint;
  /** The ordinal that the next appended record gets. */
  readonly nextOrdinal: number;
  /** In order of their numbers. */
  readonly segments: readonly SegmentSummary[];
  readonly cursor: Cursor | undefined;
  readonly ledger: Uint8Array | undefined;
  /** All seals, splits, skips and group ends that count, in order of their ordinals. */
  readonly marks: readonly IndexEntry[];
  /** The highest ring position logged, by producer and table. */
  readonly positions: ReadonlyMap<bigint, ReadonlyMap<string, bigint>>;
  /** What is not there any more although it was, as far as can be told. */
  readonly damage: readonly Damage[];
  /** Ends of segments that a crash tore in their last commit: nobody was told that they are safe. */
  readonly torn: readonly Damage[];
  /** Why a segment could not be closed; it is tried again when the log is opened next. */
  readonly trouble: LogDiskError | undefined;
}
