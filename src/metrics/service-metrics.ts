import { collectDefaultMetrics, Registry } from "prom-client";
import { packageVersion } from "../base/version.js";
import type { RecorderStats } from "../recorder.js";
import type { EventCounts } from "./event-counts.js";
import { registerMetrics } from "./register.js";
import type { MetricsSource } from "./source.js";

export interface ServiceMetricsOptions {
  readonly stats: () => RecorderStats;
  readonly told: EventCounts;
  /** Letters on disk, by table. */
  readonly letters: { look(): Promise<MetricsSource["deadLetters"]> };
  readonly heartbeat?: { readonly stats: NonNullable<MetricsSource["heartbeat"]> } | undefined;
}

/** The metrics of a service: those of its recorder, and those of the process by the names that all Node.js programs have. */
export function serviceMetrics({ stats, told, letters, heartbeat }: ServiceMetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const version = packageVersion();
  registerMetrics(registry, async () => ({
    deadLetters: await letters.look(),
    stats: stats(),
    version,
    isUp: true,
    events: told.events,
    incidents: told.incidents,
    rings: [],
    ringRows: {},
    restarts: { log: told.logRestarts },
    heartbeat: heartbeat?.stats,
  }));
  return registry;
}
