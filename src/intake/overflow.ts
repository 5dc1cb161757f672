import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { OPEN_SUFFIX } from "../base/append-file.js";
import { messageOf } from "../base/errors.js";
import { isAlive } from "../base/process.js";
import { MINUTE_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import type { Recorder } from "../recorder.js";
import { ingestFiles } from "./ingest.js";
import type { Normaliser } from "./normalise/normaliser.js";
import { namesIn, syncOwnFiles, withoutOpenSuffix } from "./overflow-files.js";

const RETRY_MS: number = MINUTE_MS;

export interface OverflowIntakeOptions {
  readonly folder: string;
  /** What the names of this process's files begin with: its process id, a dot and what tells it from earlier ones. */
  readonly owner: string;
  readonly recorder: Recorder;
  readonly clickhouse: ClickHouse;
  readonly normaliser: Normaliser;
  readonly maxLineBytes: number;
  readonly onFailure: (path: string, message: string) => void;
}

/**
 * Takes the rows that producers wrote to files because their rings were full, and those that processes left when they
 * died. Exactly once: the identity of a row is its file and line. A file is removed when all of its rows are stored or
 * in the dead letters.
 */
export class OverflowIntake {
  readonly #options: OverflowIntakeOptions;
  /** Files and folders that failed, and when they may be tried again, in monotonic milliseconds. */
  readonly #failed = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: OverflowIntakeOptions) {
    this.#options = options;
  }

  /** Looks for complete files and takes their rows, after whoever did so before. Failures go to `onFailure`. */
  async take(signal: AbortSignal): Promise<void> {
    // One at a time: two that read the same file would both find its rows not stored yet.
    this.#last = this.#last.then(() => this.#take(signal));
    await this.#last;
  }

  /** Resolves when what this process's producers have written to files is on disk; some of it may have been taken since. */
  async sync(): Promise<void> {
    await syncOwnFiles(this.#options.folder, this.#options.owner);
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { folder, recorder } = this.#options;
    // It is asked which of the rows it has.
    if (!recorder.hasMet) return;
    for (const table of await this.#namesIn(folder)) {
      for (const name of await this.#namesIn(join(folder, table))) {
        if (signal.aborted) return;
        await this.#orLater(join(folder, table, name), () => this.#takeFile(table, name, signal));
      }
    }
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    const names = await this.#orLater(folder, () => namesIn(folder));
    return names?.sort() ?? [];
  }

  /** What fails for one path is told, and keeps no other from being taken. */
  async #orLater<T>(path: string, what: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < (this.#failed.get(path) ?? 0)) return undefined;
    try {
      return await what();
    } catch (error) {
      this.#failed.set(path, performance.now() + RETRY_MS);
      this.#options.onFailure(path, messageOf(error));
      return undefined;
    }
  }

  /** The path of a complete file, or of one whose writer is dead; undefined for one that is being written. */
  async #complete(folder: string, name: string): Promise<string | undefined> {
    const path = join(folder, name);
    if (!name.endsWith(OPEN_SUFFIX)) return path;
    if (name.startsWith(this.#options.owner)) return undefined;
    const pid = Number.parseInt(name, 10);
    if (pid !== process.pid && isAlive(pid)) return undefined;
    const complete = withoutOpenSuffix(path);
    await rename(path, complete);
    return complete;
  }

  async #takeFile(table: string, name: string, signal: AbortSignal): Promise<void> {
    const { folder, recorder, clickhouse, normaliser, maxLineBytes } = this.#options;
    const path = await this.#complete(join(folder, table), name);
    if (path === undefined) return;
    const { files, lost, interrupted } = await ingestFiles({
      recorder,
      clickhouse,
      table,
      files: [path],
      format: "ndjson",
      normaliser,
      maxLineBytes,
      signal,
      // Whoever aborts gives the rows that were read the time they have.
      abortedFlushMs: 0,
    });
    const error = files[0]?.error;
    if (error !== undefined) throw new Error(error.message);
    if (lost === 0 && !interrupted) await rm(path);
  }
}
