import { setTimeout as delay } from "node:timers/promises";
import { SECOND_MS } from "../base/units.js";
import { packageVersion } from "../base/version.js";
import { LetterCounts } from "../letters/letter-counts.js";
import { EVENT_KINDS } from "../live/event-message.js";
import { EventCounts } from "../metrics/event-counts.js";
import { type MetricsRegistry, registerMetrics } from "../metrics/register.js";
import type { MetricsSource, OutsideSource } from "../metrics/source.js";
import type { RecorderEvent } from "../recorder.js";
import type { RingMemory } from "../ring/memory.js";
import type { PipelineState } from "./pipeline-thread.js";
import type { RecordingStats } from "./recording-stats.js";

export interface RecorderMetricsOptions {
  readonly stats: () => Promise<RecordingStats>;
  readonly rings: readonly RingMemory[];
  /** Rows recorded into them, by table and outcome. */
  readonly ringRows: () => OutsideSource["ringRows"];
  readonly deadLettersFolder: string;
}

/** A thread that has died or hangs must not hold up a scrape. */
const ANSWER_MS: number = SECOND_MS;

/** What a scrape reads of a recorder in the trading process. The pipeline's thread is asked only then, and only while it is there. */
export class RecorderMetrics {
  readonly #options: RecorderMetricsOptions;
  readonly #letters: LetterCounts;
  readonly #told = new EventCounts(EVENT_KINDS);
  #state: PipelineState = "up";
  #restarts = 0;

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

  async #read(): Promise<OutsideSource | MetricsSource> {
    const { rings, ringRows } = this.#options;
    const stats = await this.#ask();
    const outside = {
      version: packageVersion(),
      isUp: stats !== undefined,
      rings: rings.map((ring, index) => ({ producer: String(index + 1), usage: ring.usage })),
      ringRows: ringRows(),
      events: this.#told.events,
      incidents: this.#told.incidents,
      deadLetters: await this.#letters.look(),
      restarts: { log: this.#told.logRestarts, pipeline: this.#restarts },
    };
    return stats === undefined ? outside : { ...outside, stats };
  }

  /** Undefined while the pipeline's thread does not answer: what it knew before says nothing of now. */
  async #ask(): Promise<RecordingStats | undefined> {
    if (this.#state !== "up") return undefined;
    const late = new AbortController();
    const asked = this.#options.stats().catch(() => undefined);
    const stats = await Promise.race([
      asked,
      delay(ANSWER_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    return stats;
  }
}
