import type { HistogramSnapshot } from "../base/histogram.js";
import type { MetricsSource } from "./source.js";

/** Adds a series of a counter or gauge; label values in the order of {@link Metric.labels}. */
export type Emit = (value: number, ...labels: readonly string[]) => void;

/** As {@link Emit}, for a histogram. */
export type EmitHistogram = (value: HistogramSnapshot, ...labels: readonly string[]) => void;

interface Described {
  readonly name: `${"recorder" | "coldpath"}_${string}`;
  /** One sentence, with what the labels mean where that is not plain. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Whether it is counted outside the pipeline's thread, and so goes on when that is started again. */
  readonly outlives?: true;
}

interface Value extends Described {
  readonly type: "counter" | "gauge";
  readonly read: (source: MetricsSource, emit: Emit) => void;
}

interface Distribution extends Described {
  readonly type: "histogram";
  readonly read: (source: MetricsSource, emit: EmitHistogram) => void;
}

/** A family of series: what it means, and how it is read from a recorder when somebody scrapes. */
export type Metric = Value | Distribution;
