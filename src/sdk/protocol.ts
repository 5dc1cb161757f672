import type { Config } from "../config/schema.js";
import type { LifeStats } from "../intake/normalise/order-lives.js";
import type { CloseReport, RecorderChange, RecorderEvent, RecorderStats } from "../recorder.js";
import type { RecordLayout } from "../ring/layout.js";

/** What the pipeline's thread knows of itself. */
export interface PipelineStats extends RecorderStats {
  /** What is remembered of orders and fills, to complete the rows that follow. */
  readonly lives: LifeStats;
}

/** What the trading process tells its pipeline worker. */
export type ToWorker =
  | { readonly type: "ring"; readonly buffer: SharedArrayBuffer }
  | { readonly type: "request"; readonly id: number; readonly request: PipelineRequest };

export type PipelineRequest =
  | { readonly kind: "flush"; readonly table?: string }
  | { readonly kind: "durable" }
  | { readonly kind: "replayed"; readonly table?: string }
  | { readonly kind: "stats" }
  | { readonly kind: "change"; readonly change: RecorderChange }
  | { readonly kind: "close"; readonly deadlineMs: number };

/** What the worker is started with. `layouts` are those of the rings, which outlive a worker. */
export interface WorkerStart {
  readonly config: Config;
  readonly layouts: readonly RecordLayout[] | undefined;
  readonly rings: readonly SharedArrayBuffer[];
  /** What the names of this process's overflow files begin with. */
  readonly owner: string;
  readonly ledger: SharedArrayBuffer;
  /** The worker before, which died, if there was one. */
  readonly previousRun: string | undefined;
}

/** What the worker tells. */
export type FromWorker =
  | {
      readonly type: "ready";
      readonly layouts: readonly RecordLayout[];
      readonly run: string;
      /** Why ClickHouse does not answer, if it does not. */
      readonly away: string | undefined;
    }
  | { readonly type: "event"; readonly event: RecorderEvent }
  | { readonly type: "answer"; readonly id: number; readonly value: PipelineStats | CloseReport | undefined }
  | {
      readonly type: "failed";
      readonly id: number | undefined;
      readonly code: string;
      readonly message: string;
    };
