import type { Registry } from "prom-client";
import { systemClock } from "../base/clock.js";
import type { Config } from "../config/schema.js";
import { LetterCounts } from "../letters/letter-counts.js";
import type { EventCounts } from "../metrics/event-counts.js";
import { serviceMetrics } from "../metrics/service-metrics.js";
import type { Recorder } from "../recorder.js";
import { Heartbeat } from "./heartbeat.js";
import { deadLettersFolder, type OpenedClickHouse } from "./open.js";

/** What is scraped of a service, and what runs for it. */
export class Scrape {
  readonly registry: Registry;
  readonly #heartbeat: Heartbeat | undefined;

  constructor(config: Config, { clickhouse }: OpenedClickHouse, recorder: Recorder, told: EventCounts) {
    const everyMs = config.heartbeat.every;
    const heartbeat =
      everyMs === 0 ? undefined : new Heartbeat({ recorder, clickhouse, clock: systemClock, everyMs });
    this.#heartbeat = heartbeat;
    this.registry = serviceMetrics({
      stats: () => recorder.stats(),
      told,
      letters: new LetterCounts(deadLettersFolder(config)),
      heartbeat,
    });
  }

  async close(): Promise<void> {
    await this.#heartbeat?.close();
  }
}
