import type { CarryRule } from "./carry-rule.js";
import type { Carried, Resume } from "./log.js";
import type { DiskFacts, Trouble } from "./log-state.js";
import type { LogRecord } from "./records.js";
import type { Committed, Cursor, Damage, Recovered } from "./recovered.js";

/** What the pipeline thread and the log's thread say to each other. */

export interface LogThreadStart {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly reserveBytes: number;
  /** For each thread but the first. */
  readonly resume: Resume | undefined;
  /** For tests: address of a module whose export `disk` is used, and what it needs to know. */
  readonly disk: string | undefined;
  readonly diskData: unknown;
}

/** Something done beside the commits. */
export type Job =
  | { readonly kind: "cursor"; readonly cursor: Cursor }
  | { readonly kind: "ledger"; readonly bytes: Uint8Array }
  | { readonly kind: "unlink"; readonly segment: number }
  /** Damaged bytes are copied to `quarantine/`. */
  | { readonly kind: "set_aside"; readonly place: Pick<Damage, "segment" | "offset" | "bytes"> }
  /** `rule`: which records stay. */
  | { readonly kind: "carry"; readonly segment: number; readonly rule: CarryRule };

export type ToLog =
  /** The record at `first` and those after it. */
  | { readonly type: "append"; readonly first: number; readonly records: readonly LogRecord[] }
  | { readonly type: "job"; readonly id: number; readonly job: Job }
  | { readonly type: "close" };

export type FromLog =
  | {
      readonly type: "opened";
      readonly recovered: Recovered;
      readonly seconds: number;
      readonly disk: DiskReport;
    }
  /** The log cannot be opened; the thread ends. */
  | {
      readonly type: "not_opened";
      readonly trouble: Trouble | undefined;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: "committed";
      readonly committed: Committed;
      readonly ms: number;
      /** Duration of each sync since the last message of this type, in seconds. */
      readonly syncs: readonly number[];
      readonly disk: DiskReport;
    }
  | { readonly type: "done"; readonly id: number; readonly carried: Carried }
  /** The disk refuses; what was to be written is kept and tried again. */
  | { readonly type: "trouble"; readonly trouble: Trouble | undefined; readonly disk: DiskReport }
  | { readonly type: "disk"; readonly disk: DiskReport };

export interface DiskReport extends DiskFacts {
  readonly segments: number;
  /** Milliseconds since 1970 when the oldest live segment was made. */
  readonly oldestAt: number | undefined;
  readonly quarantined: number;
}
