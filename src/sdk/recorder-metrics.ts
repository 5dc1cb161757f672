import { packageVersion } from "../base/version.js";
import { LetterCounts } from "../letters/letter-counts.js";
import { EventCounts } from "../metrics/event-counts.js";
import { type MetricsRegistry, registerMetrics } from "../metrics/register.js";
import type { MetricsSource } from "../metrics/source.js";
import type { RecorderEvent } from "../recorder.js";
import type { RingMemory } from "../ring/memory.js";
import type { PipelineState } from "./pipeline-thread.js";
import type { RecordingStats } from "./recording-stats.js";

export interface RecorderMetricsOptions {
  readonly stats: () => Promise<RecordingStats>;
  readonly rings: readonly RingMemory[];
  readonly deadLettersFolder: string;
}

/** What a scrape reads of a recorder in the trading process. The pipeline's thread is asked only then, and only while it is there. */
export class RecorderMetrics {
  readonly #options: RecorderMetricsOptions;
  readonly #letters: LetterCounts;
  readonly #told = new EventCounts();
  #state: PipelineState = "up";
  #restarts = 0;
  #latest: RecordingStats | undefined;

  constructor(options: RecorderMetricsOptions) {
    this.#options = options;
    this.#letters = new LetterCounts(options.deadLettersFolder);
  }

  register(registry: MetricsRegistry): void {
    registerMetrics(registry, () => this.#read());
  }

  event(event: RecorderEvent): void {
    this.#told.add(event);
  }

  pipeline(state: PipelineState): void {
    if (state === "down") this.#restarts += 1;
    this.#state = state;
  }

  async #read(): Promise<MetricsSource> {
    // While a thread is being started again nobody counts, and what was known last still holds.
    if (this.#latest === undefined || this.#state === "up") this.#latest = await this.#options.stats();
    const stats = this.#latest;
    return {
      stats,
      version: packageVersion(),
      rings: this.#options.rings.map((ring, index) => ({ producer: String(index + 1), usage: ring.usage })),
      ringRows: stats.rings,
      events: this.#told.events,
      incidents: this.#told.incidents,
      deadLetters: await this.#letters.look(),
      restarts: { log: this.#told.logRestarts, pipeline: this.#restarts },
    };
  }
}
