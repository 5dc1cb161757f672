import type { LogState, Refusal } from "./log-state.js";
import type { TrimEvent } from "./trim-event.js";

/** What the log reports of itself as it happens; each is worth one log line. */
export type WalEvent =
  | TrimEvent
  | {
      readonly kind: "wal_state";
      readonly from: LogState;
      readonly to: LogState;
      readonly reason: string;
      /** Why critical rows are refused now, if they are. */
      readonly refusing: Refusal | undefined;
    }
  /** The log was opened: at the start, or again since its thread died or its folder was removed. */
  | {
      readonly kind: "wal_recovered";
      readonly cause: "start" | "thread" | "folder";
      readonly segments: number;
      readonly bytes: number;
      readonly seconds: number;
      /** Records that nobody had been told of, which were written again. */
      readonly written: number;
    }
  /** Bytes of the log that are not what was written; they are kept in `quarantine/`. */
  | {
      readonly kind: "wal_damage";
      readonly segment: number;
      readonly offset: number;
      readonly bytes: number;
      readonly reason: string;
    }
  /** Earlier starts left rows in the log of a table that this one does not record; they stay there. */
  | { readonly kind: "wal_rows_left"; readonly table: string; readonly rows: number }
  /** The log was read to its end without these rows, though it took them: damaged or removed there. Nobody waits for them any more. */
  | {
      readonly kind: "wal_rows_missing";
      readonly table: string;
      readonly run: string;
      readonly firstSeq: number;
      readonly rows: number;
      /** That was not there when it was to be removed; absent if the rows were missed when the log was read. */
      readonly segment?: number;
    }
  /** An operator had segments removed before their time, and rows given up, if any: those are lost. */
  | {
      readonly kind: "wal_purged";
      readonly segments: number;
      readonly bytes: number;
      readonly rows: number;
    }
  /** Rows could not be read back; it is tried again. */
  | { readonly kind: "wal_unreadable"; readonly table: string; readonly message: string }
  /** What the next start may skip could not be saved; it is tried again, and what is missing there is asked for. */
  | { readonly kind: "wal_cursor_failed"; readonly message: string };
