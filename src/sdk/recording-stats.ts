import type { COUNTERS } from "../ring/memory.js";
import type { PipelineState } from "./pipeline-thread.js";
import type { PipelineStats } from "./protocol.js";

/** Rows of one table as the rings counted them, over all producers of this process. */
export type RingCounts = Readonly<Record<(typeof COUNTERS)[number], number>>;

export interface RecordingStats extends PipelineStats {
  readonly pipeline: PipelineState;
  readonly rings: Readonly<Record<string, RingCounts>>;
  /** Events that were refused because their type is unknown. */
  readonly unknownEvents: number;
}
