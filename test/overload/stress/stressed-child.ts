import { setTimeout as delay } from "node:timers/promises";
import { BroadcastChannel } from "node:worker_threads";
import { SECOND_MS } from "../../../src/base/units.js";
import { loadConfig } from "../../../src/config/load.js";
import { RecordingClient } from "../../../src/sdk/create-recorder.js";
import { PipelineThread } from "../../../src/sdk/pipeline-thread.js";
import { FULL_DISK_ENV, NO_GAPS_ENV, STALL_CHANNEL } from "./hooks.js";
import { Load, type Rates } from "./load.js";
import type { Counted, FromStressed, StressStart, ToStressed } from "./messages.js";
import { PhaseTimes } from "./phase-times.js";

/** A trading process: its main thread records at the rates it is told, and counts for itself what it offered. */

/** Longest stretch of rows without a look at the clock. */
const STRETCH_ROWS = 256;
/** A process that got no CPU makes up for so much of it. */
const DEBT_MAX_MS = 50;
const SAMPLE_MS = 200;
const CLOSE_DEADLINE_MS = 120 * SECOND_MS;
/** Calls that are timed, of those in a second. */
const TIMED_PER_SECOND = 20_000;

const start = JSON.parse(process.argv[2]!) as StressStart;
process.env[FULL_DISK_ENV] = start.fullDisk;
if (start.withoutGaps) process.env[NO_GAPS_ENV] = "1";

function tell(message: FromStressed): void {
  process.send!(message);
}

class Stressed {
  readonly #recorder: RecordingClient;
  readonly #load = new Load(start.market);
  readonly #times: PhaseTimes[] = [];
  readonly #steps = new BroadcastChannel(STALL_CHANNEL);
  #rates: Rates = { market: 0, critical: 0 };
  #isOver = false;

  constructor(recorder: RecordingClient) {
    this.#recorder = recorder;
    recorder.on("event", (event) => {
      if (event.kind === "level") tell({ kind: "step", step: { ...event, at: performance.now() } });
    });
  }

  hear(message: ToStressed): void {
    if (message.kind === "stall") this.#steps.postMessage(message.ms);
    else if (message.kind === "finish") this.#isOver = true;
    else {
      this.#rates = message.rates;
      this.#times.push(new PhaseTimes(message.name));
    }
  }

  async run(): Promise<void> {
    const looks = Promise.all([this.#sampleAgain(), this.#askDurable()]);
    await this.#produce();
    await looks;
    const timings = this.#times.map((times) => times.summary());
    await this.#recorder.flush();
    const report = await this.#recorder.close({ deadline: CLOSE_DEADLINE_MS });
    this.#steps.close();
    const { level, deduplicated, sampled, pending } = report.tables["market_data"]!;
    const counted: Counted = {
      stats: report.tables["market_data"]!,
      left: deduplicated + sampled,
      levelChanges: level.changes,
      pending: Object.values(report.tables).reduce((sum, table) => sum + table.pending.rows, pending.rows),
    };
    const done: FromStressed = { kind: "done", tally: this.#load.tally(), timings, counted };
    // A message of many series takes a while to leave.
    process.send!(done, () => process.disconnect());
  }

  /** In open loop: rows come when they are due, whatever became of those before. */
  async #produce(): Promise<void> {
    const record = this.#recorder.marketData.record;
    const recordCritical = this.#recorder.orders.record;
    let last = performance.now();
    let due = 0;
    let criticalDue = 0;
    while (!this.#isOver) {
      const now = performance.now();
      const passed = Math.min(now - last, DEBT_MAX_MS) / SECOND_MS;
      last = now;
      const { market, critical } = this.#rates;
      due = Math.min(due + passed * market, (market * DEBT_MAX_MS) / SECOND_MS);
      criticalDue += passed * critical;
      for (; criticalDue >= 1; criticalDue -= 1) this.#load.offerCritical(recordCritical);
      const every = Math.max(1, Math.round(market / TIMED_PER_SECOND));
      const stretch = Math.min(Math.floor(due), STRETCH_ROWS);
      const times = this.#times.at(-1);
      for (let row = 0; row < stretch; row += 1) {
        if (this.#load.rows % every > 0) this.#load.offer(record);
        else times!.timed(() => this.#load.offer(record));
      }
      due -= stretch;
      times?.passed(now, stretch);
      if (due < 1) await delay(1);
    }
  }

  async #sampleAgain(): Promise<void> {
    while (!this.#isOver) {
      const { memory, tables } = await this.#recorder.stats();
      const { level, pressure, stored } = tables["market_data"]!;
      tell({
        kind: "sample",
        sample: {
          phase: this.#times.at(-1)?.phase ?? "",
          at: performance.now(),
          offered: this.#load.rows,
          criticalOffered: this.#load.criticalRows,
          stored,
          level: level.index,
          pressure: pressure.value,
          memory: memory.used,
          memoryPeak: memory.peak,
          memoryMax: memory.max,
          rssBytes: process.memoryUsage.rss(),
        },
      });
      await delay(SAMPLE_MS);
    }
  }

  async #askDurable(): Promise<void> {
    while (!this.#isOver) {
      const times = this.#times.at(-1);
      const asked = performance.now();
      await this.#recorder.durable();
      times?.durable.push(performance.now() - asked);
      await delay(SAMPLE_MS);
    }
  }
}

const { config } = loadConfig({ env: process.env, cwd: process.cwd(), values: start.config });
const worker = new URL("./stalling-worker.js", import.meta.url);
const { thread, layouts } = await PipelineThread.start(config, worker);
const stressed = new Stressed(new RecordingClient(config, thread, layouts));
process.on("message", (message: ToStressed) => stressed.hear(message));
tell({ kind: "ready" });
await stressed.run();
