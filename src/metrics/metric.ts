import type { HistogramSnapshot } from "../base/histogram.js";
import type { MetricsSource, OutsideSource } from "./source.js";

/** Adds a series of a counter or gauge; label values in the order of {@link Metric.labels}. */
export type Emit = (value: number, ...labels: readonly string[]) => void;

/** As {@link Emit}, for a histogram. */
export type EmitHistogram = (value: HistogramSnapshot, ...labels: readonly string[]) => void;

interface Described {
  readonly name: `${"recorder" | "coldpath"}_${string}`;
  /** One sentence, with what the labels mean where that is not plain. */
  readonly help: string;
  readonly labels: readonly string[];
}

interface Value extends Described {
  readonly type: "counter" | "gauge";
}

interface Distribution extends Described {
  readonly type: "histogram";
}

/** Read from the pipeline; it begins at nothing when the pipeline's thread is started again. */
interface Inside {
  readonly outlives?: false;
}

/** Known to the process itself: there also while the pipeline's thread is not. */
interface Outside {
  readonly outlives: true;
}

/** A family of series: what it means, and how it is read from a recorder when somebody scrapes. */
export type Metric =
  | (Value & Inside & { readonly read: (source: MetricsSource, emit: Emit) => void })
  | (Value & Outside & { readonly read: (source: OutsideSource, emit: Emit) => void })
  | (Distribution & Inside & { readonly read: (source: MetricsSource, emit: EmitHistogram) => void })
  | (Distribution & Outside & { readonly read: (source: OutsideSource, emit: EmitHistogram) => void });
