import type { ConfigInput } from "../../../src/config/schema.js";
import type { LevelEvent } from "../../../src/overload/events.js";
import type { TableStats } from "../../../src/table-writer.js";
import type { Market, Rates, Tally } from "./load.js";

/** What a stressed trading process and whoever runs it tell each other. */

export interface StressStart {
  readonly config: ConfigInput;
  readonly market: Market;
  /** While this file exists, the disk of the log is full. */
  readonly fullDisk: string;
  /** What is missing is not written down. */
  readonly withoutGaps: boolean;
}

export type ToStressed =
  | { readonly kind: "phase"; readonly name: string; readonly rates: Rates }
  | { readonly kind: "stall"; readonly ms: number }
  | { readonly kind: "finish" };

/** How it stands, several times a second. */
export interface Sample {
  readonly phase: string;
  /** Monotonic milliseconds of the stressed process. */
  readonly at: number;
  /** Rows offered so far: market data, critical. */
  readonly offered: number;
  readonly criticalOffered: number;
  readonly stored: number;
  readonly level: number;
  readonly pressure: number;
  /** Encoded bytes held, the most that ever were, and the most that may be. */
  readonly memory: number;
  readonly memoryPeak: number;
  readonly memoryMax: number;
  readonly rssBytes: number;
}

/** Durations of one phase. */
export interface Timing {
  readonly phase: string;
  readonly seconds: number;
  readonly rows: number;
  /** Calls of `record()` with a row of market data that were timed, nanoseconds. */
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** From asking until all critical rows recorded by then were on disk, milliseconds. */
  readonly durable: readonly number[];
}

/** A level step as it was told, and when. */
export type Step = LevelEvent & { readonly at: number };

/** What the recorder itself counted, to be held against the ledger. */
export interface Counted {
  /** Of market_data, as it ended. */
  readonly stats: TableStats;
  readonly left: number;
  readonly levelChanges: number;
  readonly pending: number;
}

export type FromStressed =
  | { readonly kind: "ready" }
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "step"; readonly step: Step }
  | {
      readonly kind: "done";
      readonly tally: Tally;
      readonly timings: readonly Timing[];
      readonly counted: Counted;
    };
