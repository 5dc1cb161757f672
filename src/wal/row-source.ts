import type { RingPosition } from "./records.js";

/** Where rows come from that are handed out again after the pipeline's thread died, unless the log has them: rings. */
export interface RowSource {
  /** All rows taken from here so far are in a commit now, or in none. */
  cut(): SourceCut;
}

/** What a source says of the commit that its rows went into. */
export interface SourceCut {
  /** The commit is not to be on disk before this is; undefined if it may at once. Never rejects. */
  readonly ready: Promise<void> | undefined;
  /** Up to where the rows of a table were taken, by producer. Rows of a table leave a ring in order. */
  positionsOf(table: string): readonly RingPosition[];
  /** The commit is on disk. */
  synced(): void;
}
