import type { Metric as PromMetric, Registry } from "prom-client";
import { CATALOGUE } from "./catalogue.js";
import { Continuity } from "./continuity.js";
import type { Metric } from "./metric.js";
import { samplesOf } from "./sample.js";
import type { MetricsSource, OutsideSource } from "./source.js";

/** What is needed of a registry of prom-client. */
export type MetricsRegistry = Pick<Registry, "registerMetric">;

/**
 * Puts the metrics of a recorder into a registry of prom-client. Nothing is counted for them: the counters are the recorder's own and are
 * read when somebody scrapes, once for all metrics of a scrape.
 *
 * @throws Error if the registry has metrics of another recorder
 */
export function registerMetrics(
  registry: MetricsRegistry,
  read: () => Promise<OutsideSource | MetricsSource>,
): void {
  let reading: Promise<OutsideSource | MetricsSource> | undefined;
  // A registry asks all its metrics in one turn.
  const source = (): Promise<OutsideSource | MetricsSource> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  for (const metric of CATALOGUE) registry.registerMetric(promMetric(metric, source));
}

/** What a registry needs of a metric, whose classes cannot be filled from counters that are kept elsewhere. */
function promMetric(metric: Metric, source: () => Promise<OutsideSource | MetricsSource>): PromMetric {
  const { name, help, type } = metric;
  const described = { name, help, type, aggregator: "sum" };
  const continuity = type === "gauge" || metric.outlives === true ? undefined : new Continuity();
  const get = async (): Promise<unknown> => {
    const now = await source();
    const samples = samplesOf(metric, now);
    const values =
      continuity === undefined || !("stats" in now) ? samples : continuity.over(now.stats.run, samples);
    // For OpenMetrics a registry takes `_total` off the name of what it holds, and puts it behind that of each series.
    return { ...described, name: registered.name, values };
  };
  const registered = { ...described, get, reset() {} };
  return registered as unknown as PromMetric;
}
