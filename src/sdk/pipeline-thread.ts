import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { ColdpathError, type ErrorCode } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Config } from "../config/schema.js";
import type { CloseReport, RecorderEvent } from "../recorder.js";
import type { RecordLayout } from "../ring/layout.js";
import { Ledger } from "./ledger.js";
import type { FromWorker, PipelineRequest, PipelineStats, ToWorker, WorkerStart } from "./protocol.js";

const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 5 * SECOND_MS;
const END_DEADLINE_MS = 5 * SECOND_MS;

/**
 * MiB for objects that have just been made. With the default of 48 the thread stood still for 5 ms each time they were gathered, and rows that
 * somebody waits for with it; so it is 2 ms, more often.
 */
const YOUNG_MIB = 12;
/**
 * MiB for all other objects, many times what is ever alive. V8 lets the heap grow the further before it is gathered the larger this is: without it
 * to four times what is alive, with this to twice. Beyond it the thread would die and another be started.
 */
const OLD_MIB = 2000;

const PIPELINE_WORKER: URL = new URL("./pipeline-worker.js", import.meta.url);

/** `starting → up → down → starting …`, `closed` at last; `down` means that the thread died and will be started again. */
export type PipelineState = "starting" | "up" | "down" | "closed";

interface PipelineEvents {
  state: [state: PipelineState, reason?: ColdpathError];
  event: [event: RecorderEvent];
}

interface Pending {
  readonly request: PipelineRequest;
  readonly resolve: (value: PipelineStats | CloseReport | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The worker that takes rows from the rings: started here, watched, and started again on the same rings when it dies. */
export class PipelineThread extends EventEmitter<PipelineEvents> {
  /** Tells this process's files from those of others, and of earlier ones with its process id. */
  readonly owner: string = `${process.pid}.${randomBytes(4).toString("hex")}`;
  #config: Config;
  readonly #entry: URL;
  readonly #ledger: SharedArrayBuffer;
  readonly #rings: SharedArrayBuffer[] = [];
  readonly #pending = new Map<number, Pending>();
  #layouts: readonly RecordLayout[] | undefined;
  /** Of the latest worker that was ready. */
  #run: string | undefined;
  #worker: Worker | undefined;
  /** Resolves when the latest worker is gone. */
  #exited: Promise<unknown> = Promise.resolve();
  #state: PipelineState = "starting";
  #requests = 0;
  #restartMs = RESTART_FIRST_MS;
  #restartTimer: NodeJS.Timeout | undefined;

  private constructor(config: Config, entry: URL) {
    super();
    this.#config = config;
    this.#ledger = Ledger.create(Object.keys(config.tables).length);
    this.#entry = entry;
  }

  /**
   * Starts the worker and waits until it has opened its ClickHouse.
   *
   * @param entry for tests: another file that the worker runs
   * @throws ColdpathError why it did not
   */
  static async start(
    config: Config,
    entry: URL = PIPELINE_WORKER,
  ): Promise<{ thread: PipelineThread; layouts: readonly RecordLayout[] }> {
    const thread = new PipelineThread(config, entry);
    const layouts = await thread.#launch();
    return { thread, layouts };
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** Has the rows of this ring taken, too, by this worker and those after it. */
  add(ring: SharedArrayBuffer): void {
    this.#rings.push(ring);
    this.#post({ type: "ring", buffer: ring });
  }

  /** Asks the worker; while it is down the question waits for the next one. */
  async request(request: PipelineRequest): Promise<PipelineStats | CloseReport | undefined> {
    if (this.#state === "closed") throw new ColdpathError("RECORDER_CLOSED", "the recorder is closed");
    this.#requests += 1;
    const id = this.#requests;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { request, resolve, reject });
      this.#post({ type: "request", id, request });
    });
  }

  /** Other rules for a table, in this worker and those after it. */
  async setPolicy(table: string, policy: Config["tables"][string]["policy"]): Promise<void> {
    await this.request({ kind: "change", change: { tables: { [table]: { policy } } } });
    const { tables } = this.#config;
    this.#config = { ...this.#config, tables: { ...tables, [table]: { ...tables[table]!, policy } } };
  }

  /** Lets no other worker start. Whoever still waits for an answer is told that there is none. */
  async end(): Promise<void> {
    this.#enter("closed");
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(new ColdpathError("RECORDER_CLOSED", "the recorder was closed"));
    if (worker === undefined) return;
    // By itself, if it can: ending a thread by force in the middle of native work may abort the process.
    const timer = setTimeout(() => void worker.terminate(), END_DEADLINE_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #launch(): Promise<readonly RecordLayout[]> {
    this.#enter("starting");
    const start: WorkerStart = {
      config: this.#config,
      layouts: this.#layouts,
      rings: this.#rings,
      owner: this.owner,
      ledger: this.#ledger,
      previousRun: this.#run,
    };
    const worker = new Worker(this.#entry, {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB, maxOldGenerationSizeMb: OLD_MIB },
    });
    this.#worker = worker;
    this.#exited = new Promise((resolve) => worker.once("exit", resolve));
    return new Promise((resolve, reject) => {
      let reason = new ColdpathError("PIPELINE_FAILED", "the recorder's pipeline thread ended");
      worker.on("message", (message: FromWorker) => {
        if (message.type === "ready") {
          this.#run = message.run;
          if (message.away !== undefined) warnAway(message.away);
          this.#onReady(message.layouts);
          resolve(message.layouts);
        } else if (message.type === "failed" && message.id === undefined) reason = errorOf(message);
        else this.#onMessage(message);
      });
      worker.on("error", (cause: Error) => {
        const message = `the recorder's pipeline thread died: ${cause.message}`;
        reason = new ColdpathError("PIPELINE_FAILED", message, { cause });
      });
      worker.once("exit", () => {
        reject(reason);
        this.#onExit(worker, reason);
      });
    });
  }

  #onReady(layouts: readonly RecordLayout[]): void {
    this.#layouts = layouts;
    this.#restartMs = RESTART_FIRST_MS;
    this.#enter("up");
    for (const [id, { request }] of this.#pending) this.#post({ type: "request", id, request });
  }

  #onMessage(message: FromWorker): void {
    if (message.type === "event") this.emit("event", message.event);
    else if (message.type === "answer") this.#take(message.id)?.resolve(message.value);
    else if (message.type === "failed") this.#take(message.id!)?.reject(errorOf(message));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onExit(worker: Worker, reason: ColdpathError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    // The first start is its caller's to judge.
    if (this.#state === "closed" || this.#layouts === undefined) return;
    this.#enter("down", reason);
    const wait = this.#restartMs;
    this.#restartMs = Math.min(wait * 2, RESTART_MAX_MS);
    this.#restartTimer = setTimeout(() => {
      // Its reason is announced with the state.
      this.#launch().catch(() => {});
    }, wait);
  }

  /** To the worker, if it is there; a new one is told of rings at its start, and of requests when it is ready. */
  #post(message: ToWorker): void {
    if (this.#state === "up") this.#worker?.postMessage(message);
  }

  #enter(state: PipelineState, reason?: ColdpathError): void {
    if (this.#state === state) return;
    this.#state = state;
    if (reason === undefined) this.emit("state", state);
    else this.emit("state", state, reason);
  }
}

/** A library has no log of its own, and nobody listens to it yet. */
function warnAway(reason: string): void {
  process.emitWarning(
    `coldpath records without ClickHouse, which does not answer: critical rows go to the log until it does. ${reason}`,
    "ColdpathWarning",
  );
}

function errorOf({ code, message }: { readonly code: string; readonly message: string }): ColdpathError {
  return new ColdpathError(code as ErrorCode, message);
}
