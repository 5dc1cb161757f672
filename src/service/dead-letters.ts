import { Worker } from "node:worker_threads";
import { ColdpathError } from "../base/errors.js";
import type { ClickHouse } from "../clickhouse/client.js";
import type { Config } from "../config/schema.js";
import type { Selection } from "../letters/selection.js";
import { type LetterSummary, summarise } from "../letters/summary.js";
import type { TableRetry } from "../letters/table-retry.js";
import type { LettersDone, LettersWork } from "./letters-worker.js";
import { deadLettersFolder } from "./open.js";

/** The dead letters of a service, counted and tried again while it records. */
export class ServiceLetters {
  readonly #config: Config;
  readonly #clickhouse: ClickHouse;
  readonly #summaries = new Map<string | undefined, Promise<LetterSummary>>();
  #worker: Worker | undefined;

  constructor(config: Config, clickhouse: ClickHouse) {
    this.#config = config;
    this.#clickhouse = clickhouse;
  }

  /** By table and reason. Who asks while the files are being read gets what the one before him gets. */
  summary(table: string | undefined): Promise<LetterSummary> {
    const running = this.#summaries.get(table);
    if (running !== undefined) return running;
    const summary = summarise(deadLettersFolder(this.#config), { table }).finally(() =>
      this.#summaries.delete(table),
    );
    this.#summaries.set(table, summary);
    return summary;
  }

  /** @throws ColdpathError DEAD_LETTERS_LOCKED while some are being tried, and what a try throws */
  async retry(selection: Selection): Promise<readonly TableRetry[]> {
    if (this.#worker !== undefined)
      throw new ColdpathError(
        "DEAD_LETTERS_LOCKED",
        "dead letters are being tried already: wait until that has ended",
      );
    const { options, endpoint } = this.#clickhouse;
    const workerData: LettersWork = {
      config: this.#config,
      clickhouse: { ...options, url: endpoint },
      selection,
    };
    const worker = new Worker(new URL("./letters-worker.js", import.meta.url), { workerData });
    this.#worker = worker;
    try {
      const done = await resultOf(worker);
      if ("code" in done) throw new ColdpathError(done.code, done.message);
      return done.retried;
    } finally {
      await worker.terminate();
      this.#worker = undefined;
    }
  }

  /** What is being tried is left where it is. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** What the thread posts. @throws what it dies of, and ColdpathError RECORDER_CLOSED if it is ended before */
function resultOf(worker: Worker): Promise<LettersDone> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      const message = "the service ends: letters that were not tried yet are where they were";
      reject(new ColdpathError("RECORDER_CLOSED", message));
    });
  });
}
