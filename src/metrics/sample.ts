import type { HistogramSnapshot } from "../base/histogram.js";
import type { Metric } from "./metric.js";
import type { MetricsSource } from "./source.js";

/** One number of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of a histogram's parts: with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

export function samplesOf(metric: Metric, source: MetricsSource): Sample[] {
  const samples: Sample[] = [];
  const labelled = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(metric.labels.map((label, index) => [label, values[index]!]));
  if (metric.type === "histogram") {
    metric.read(source, (snapshot, ...values) => {
      samples.push(...partsOf(metric.name, snapshot, labelled(values)));
    });
  } else {
    metric.read(source, (value, ...values) => samples.push({ value, labels: labelled(values) }));
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
