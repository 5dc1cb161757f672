import { Worker } from "node:worker_threads";
import { messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { FromLog, LogThreadStart, ToLog } from "./log-protocol.js";

const RESTART_FIRST_MS = 20;
const RESTART_MAX_MS: number = SECOND_MS;

/** MiB for objects that have just been made: hardly any lives longer than its commit. */
const YOUNG_MIB = 6;

export interface LogThreadOptions {
  /** The file the thread runs. */
  readonly entry: URL;
  /** What the next thread is told at its start; undefined: there must be none yet. */
  start(): LogThreadStart | undefined;
  onMessage(message: FromLog): void;
  /** The thread ended by itself; another one is started soon. */
  onDown(reason: string): void;
}

/** The log's thread as the pipeline thread has it: started, and started again when it ends. It is never ended by force. */
export class LogThread {
  readonly #options: LogThreadOptions;
  #worker: Worker | undefined;
  #isUp = false;
  #closing = false;
  #keepsProcess = true;
  #restartMs = RESTART_FIRST_MS;
  #restart: NodeJS.Timeout | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: LogThreadOptions) {
    this.#options = options;
    this.#launch();
  }

  /** Resolves when no thread is there that may still write. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** To the thread, if it has opened the log; what it must know is told to the next one when that has. */
  post(message: ToLog, transfer: readonly ArrayBuffer[]): void {
    if (this.#isUp) this.#worker?.postMessage(message, transfer);
  }

  /** Whether the process stays for the thread's sake: while somebody waits for an answer. */
  keepProcess(keeps: boolean): void {
    if (keeps === this.#keepsProcess) return;
    this.#keepsProcess = keeps;
    if (keeps) {
      this.#worker?.ref();
      this.#restart?.ref();
    } else {
      this.#worker?.unref();
      this.#restart?.unref();
    }
  }

  /** Has the thread end after what it was told before; none is started any more. */
  close(): void {
    this.#closing = true;
    clearTimeout(this.#restart);
    this.#worker?.postMessage({ type: "close" } satisfies ToLog);
  }

  #launch(): void {
    const start = this.#options.start();
    if (start === undefined) {
      this.#launchLater();
      return;
    }
    const worker = new Worker(this.#options.entry, {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    if (!this.#keepsProcess) worker.unref();
    this.#worker = worker;
    let reason = "the log's thread ended";
    worker.on("message", (message: FromLog) => {
      if (message.type === "opened") this.#isUp = true;
      else if (message.type === "committed") this.#restartMs = RESTART_FIRST_MS;
      else if (message.type === "not_opened") reason = message.message;
      this.#options.onMessage(message);
    });
    worker.on("error", (error: unknown) => {
      reason = `the log's thread died: ${messageOf(error)}`;
    });
    this.#exited = new Promise((resolve) =>
      worker.once("exit", () => {
        resolve();
        this.#onExit(reason);
      }),
    );
  }

  #onExit(reason: string): void {
    this.#worker = undefined;
    this.#isUp = false;
    if (this.#closing) return;
    this.#launchLater();
    this.#options.onDown(reason);
  }

  #launchLater(): void {
    const wait = this.#restartMs;
    this.#restartMs = Math.min(wait * 2, RESTART_MAX_MS);
    this.#restart = setTimeout(() => this.#launch(), wait);
    if (!this.#keepsProcess) this.#restart.unref();
  }
}
