import type { HistogramSnapshot } from "../base/histogram.js";
import type { Metric } from "./metric.js";
import type { MetricsSource, OutsideSource } from "./source.js";

/** One number of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of a histogram's parts: with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

/** None of what only the pipeline knows, if it does not answer. */
export function samplesOf(metric: Metric, source: OutsideSource | MetricsSource): Sample[] {
  const samples: Sample[] = [];
  const labelled = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(metric.labels.map((label, index) => [label, values[index]!]));
  const emit = (value: number, ...values: readonly string[]): void => {
    samples.push({ value, labels: labelled(values) });
  };
  const emitHistogram = (snapshot: HistogramSnapshot, ...values: readonly string[]): void => {
    samples.push(...partsOf(metric.name, snapshot, labelled(values)));
  };
  if (metric.outlives === true) {
    if (metric.type === "histogram") metric.read(source, emitHistogram);
    else metric.read(source, emit);
  } else if ("stats" in source) {
    if (metric.type === "histogram") metric.read(source, emitHistogram);
    else metric.read(source, emit);
  }
  return samples;
}

/** Prometheus counts in each bucket also what is in those below it. */
function partsOf(
  name: string,
  { count, sum, bounds, buckets }: HistogramSnapshot,
  labels: Readonly<Record<string, string>>,
): Sample[] {
  let below = 0;
  const samples: Sample[] = bounds.map((bound, index) => {
    below += buckets[index]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below };
  });
  return [
    ...samples,
    { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
