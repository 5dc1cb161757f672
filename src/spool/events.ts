import type { LogState } from "../wal/log-state.js";

/** What a table's spool has for a disk, from good to bad; the log's states, and those that only a spool has. */
export type SpoolState =
  | LogState
  /** Nothing was ever to be spooled: there is no folder yet. */
  | "unused"
  /** The folder could not be opened; it is tried again. */
  | "unopened"
  /** The disk has so little room that the rest is the log's: the oldest rows go, and none are taken. */
  | "giving_way";

/** What the spool reports of itself as it happens; each is worth one log line. */
export type SpoolEvent =
  | {
      readonly kind: "spool_state";
      readonly table: string;
      readonly from: SpoolState;
      readonly to: SpoolState;
      readonly reason: string;
    }
  /** The first rows are on disk, or the last have left it. */
  | { readonly kind: "spool_begun"; readonly table: string }
  | { readonly kind: "spool_emptied"; readonly table: string }
  /** Rows of earlier starts were found; those of a table that is not spooled any more stay where they are. */
  | { readonly kind: "spool_found"; readonly table: string; readonly rows: number; readonly bytes: number }
  | { readonly kind: "spool_left"; readonly folder: string }
  /** Bytes that are not what was written; they are kept in `quarantine/`, and cost the rows of one batch. */
  | {
      readonly kind: "spool_damage";
      readonly table: string;
      readonly segment: number;
      readonly offset: number;
      readonly bytes: number;
      readonly reason: string;
    }
  /** Rows could not be read back; it is tried again. */
  | { readonly kind: "spool_unreadable"; readonly table: string; readonly message: string }
  /** What the next start may skip could not be saved; it is tried again, and what is missing there is asked for. */
  | { readonly kind: "spool_cursor_failed"; readonly table: string; readonly message: string };
