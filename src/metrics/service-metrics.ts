import { collectDefaultMetrics, Registry } from "prom-client";
import { packageVersion } from "../base/version.js";
import type { RecorderStats } from "../recorder.js";
import type { EventCounts } from "./event-counts.js";
import { registerMetrics } from "./register.js";

/** The metrics of a service: those of its recorder, and those of the process by the names that all Node.js programs have. */
export function serviceMetrics(
  stats: () => RecorderStats,
  told: EventCounts,
  letters: { look(): Promise<Readonly<Record<string, number>>> },
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const version = packageVersion();
  const { events } = told;
  registerMetrics(registry, async () => ({
    deadLetters: await letters.look(),
    stats: stats(),
    version,
    events,
    incidents: told.incidents,
    rings: [],
    ringRows: {},
    restarts: { log: told.logRestarts },
  }));
  return registry;
}
