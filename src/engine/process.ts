import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ColdpathError } from "../base/errors.js";
import { KIB, SECOND_MS } from "../base/units.js";
import type { EngineFolder } from "./folder.js";
import type { EngineLimits } from "./limits.js";
import type { FromChild, Timeouts, ToChild } from "./protocol.js";

export interface ProcessOptions {
  readonly host: string;
  readonly port: number;
  readonly memory: number;
  readonly limits: EngineLimits;
  readonly timeouts: Timeouts;
  readonly heartbeatMs: number;
  readonly hungAfterMs: number;
}

/** Each running statement occupies a thread of libuv's pool, and bodies are written beside them. */
const POOL_THREADS = "24";
/** What the engine last wrote to its standard error is kept for the report of its death. */
const STDERR_KEPT = 4 * KIB;
/** Loading a folder with many parts takes time; a start that takes longer than this will not end. */
export const START_DEADLINE_MS: number = 120 * SECOND_MS;

type Ready = FromChild & { type: "ready" };
type Failed = FromChild & { type: "failed" };

/** One life of the engine's process, from fork to exit. */
export class EngineProcess {
  /** Resolves when the engine serves; rejects with the reason why it does not. */
  readonly ready: Promise<Ready>;
  /** Resolves when the process has ended, with what happened. */
  readonly ended: Promise<ColdpathError>;
  readonly #child: ChildProcess;
  readonly #folder: EngineFolder;
  readonly #options: ProcessOptions;
  #stderr = "";
  #heartbeat: NodeJS.Timeout | undefined;
  #lastBeat = 0;
  /** How long the engine has had nothing to say, of the time in which we listened, milliseconds. */
  #silentMs = 0;
  #awaitsPong = false;
  #killedBecause: string | undefined;

  constructor(folder: EngineFolder, options: ProcessOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, UV_THREADPOOL_SIZE: POOL_THREADS },
      execArgv: [],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#onStderr(chunk));
    this.ended = new Promise((resolve) => {
      // Without a process there is no "close"; with one, a message that could not be sent is told by its end.
      this.#child.on("error", (error) => {
        if (this.pid === undefined) resolve(this.#notStarted(error));
      });
      // Not "exit": what the engine wrote last must have been read.
      this.#child.once("close", (code, signal) => resolve(this.#death(code, signal)));
    });
    this.ready = this.#start();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends the process at once. */
  kill(reason?: string): void {
    this.#killedBecause ??= reason;
    clearInterval(this.#heartbeat);
    this.#child.kill("SIGKILL");
  }

  /** Ends the process in an orderly way if it can do so in time, else at once. */
  async close(deadlineMs: number): Promise<void> {
    clearInterval(this.#heartbeat);
    const timer = setTimeout(() => this.kill(), deadlineMs);
    this.#send({ type: "close", deadlineMs });
    await this.ended;
    clearTimeout(timer);
  }

  #start(): Promise<Ready> {
    const { host, port, memory, limits, timeouts, heartbeatMs } = this.#options;
    const deadline = setTimeout(() => this.kill("did not start in time"), START_DEADLINE_MS);
    return new Promise<Ready>((resolve, reject) => {
      let failed: Failed | undefined;
      this.#child.on("message", (message: FromChild) => {
        if (message.type === "ready") {
          this.#lastBeat = performance.now();
          this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
          resolve(message);
        } else if (message.type === "failed") {
          failed = message;
          this.kill();
        } else {
          this.#silentMs = 0;
          this.#awaitsPong = false;
        }
      });
      // The reason is told once the process is gone, and what it said is complete.
      void this.ended.then((death) => reject(this.#startFailure(failed) ?? death));
      this.#send({ type: "start", dataDir: this.#folder.root, host, port, memory, limits, timeouts });
    }).finally(() => clearTimeout(deadline));
  }

  #beat(): void {
    const { heartbeatMs, hungAfterMs } = this.#options;
    const now = performance.now();
    // A beat that comes late says that this process stood still, or its host: the answer may lie there unread.
    this.#silentMs += Math.min(now - this.#lastBeat, 2 * heartbeatMs);
    this.#lastBeat = now;
    if (this.#silentMs > hungAfterMs) this.kill(`did not answer for ${Math.round(this.#silentMs)} ms`);
    else if (!this.#awaitsPong) {
      this.#awaitsPong = true;
      this.#send({ type: "ping" });
    }
  }

  #send(message: ToChild): void {
    if (this.pid === undefined) return;
    // Fails only when the process is gone, which `ended` tells.
    this.#child.send(message, () => {});
  }

  #onStderr(chunk: Buffer): void {
    this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
  }

  #startFailure(failed: Failed | undefined): ColdpathError | undefined {
    if (/Cannot lock file/.test(this.#stderr)) {
      const holder = this.#folder.holder();
      return new ColdpathError(
        "ENGINE_FOLDER_LOCKED",
        `the data folder ${this.#folder.root} is used by ${holder === undefined ? "another process" : `process ${holder}`}; ` +
          "stop that one, or choose another folder",
      );
    }
    return failed && new ColdpathError(failed.code, this.#withStderr(failed.message));
  }

  #notStarted(cause: Error): ColdpathError {
    const message = `the process of the embedded ClickHouse cannot be started: ${cause.message}`;
    return new ColdpathError("ENGINE_FAILED", message, { cause });
  }

  #death(code: number | null, signal: NodeJS.Signals | null): ColdpathError {
    clearInterval(this.#heartbeat);
    const how = this.#killedBecause ?? `ended with ${signal === null ? `status ${code}` : signal}`;
    return new ColdpathError(
      "ENGINE_FAILED",
      this.#withStderr(`the embedded ClickHouse (process ${this.pid}) ${how}`),
    );
  }

  /** The message with what the engine said last, its exception if it said one. */
  #withStderr(message: string): string {
    const lines = this.#stderr.trim().split("\n");
    const said = lines.findLast((line) => line.startsWith("Code: ")) ?? lines.at(-1);
    return said ? `${message}: ${said}` : message;
  }
}
