import type { Row } from "../native/block.js";

/**
 * Why rows are missing.
 *
 * - `sampled`, `deduplicated`: left out by a step of the table's ladder; `skipped` of the kept rows tells of them, too
 * - `policy`: left out, and no row was kept since that could tell
 * - `queue_full`, `memory_full`, `spool_full`: dropped to make room
 * - `spool_damaged`: in the spool, whose bytes are not what was written
 * - `purged`: in the log, and given up by an operator
 * - `ring_full`, `too_large`: never taken: the producer was told so
 * - `closed`: in memory when the recorder was closed, and never sent
 * - `pipeline_died`: in memory when the pipeline's thread died
 */
export type GapReason =
  | "sampled"
  | "deduplicated"
  | "policy"
  | "queue_full"
  | "memory_full"
  | "spool_full"
  | "spool_damaged"
  | "purged"
  | "ring_full"
  | "too_large"
  | "closed"
  | "pipeline_died";

/** Why rows are missing of which the `skipped` of kept rows tells, too. */
export const TOLD_BY_SKIPPED: ReadonlySet<GapReason> = new Set(["sampled", "deduplicated"]);

/** Why rows are missing that their ring counts until they are told of: the next thread tells of them, should this one die before. */
export const TOLD_BY_RING: ReadonlySet<GapReason> = new Set(["ring_full", "too_large"]);

/** Values of the columns that tell one series from another, and how many of its rows are missing. */
export type MissingOf = readonly [series: Row, rows: number];

/** Rows of one table that are not where they should be. */
export interface Gap {
  readonly table: string;
  readonly reason: GapReason;
  /** Of the table's ladder when they went missing; 0 is normal. */
  readonly level: number;
  readonly rows: number;
  /** By series, as far as that is known. */
  readonly by?: Iterable<MissingOf>;
  /** Time of the first and of the last of them, nanoseconds since the Unix epoch. */
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
  /** First and last of their numbers, if they had any. */
  readonly seqs?: { readonly first: number; readonly last: number };
  /** The start that they were numbered by, if it was another. */
  readonly run?: string;
  /** Called once it is written down for good; until then who counted them has to know that nobody was told. */
  readonly onTold?: () => void;
}
