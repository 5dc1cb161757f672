import type { LogState, Refusal } from "./log-state.js";

/** What the log reports of itself as it happens; each is worth one log line. */
export type WalEvent =
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
    };
