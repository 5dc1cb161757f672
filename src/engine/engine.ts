import assert from "node:assert";
import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { ColdpathError, messageOf } from "../base/errors.js";
import { isAlive } from "../base/process.js";
import { GIB, MINUTE_MS, SECOND_MS } from "../base/units.js";
import { USER } from "./access.js";
import { type Endpoint, EngineFolder } from "./folder.js";
import { DEFAULT_LIMITS, type EngineLimits } from "./limits.js";
import { EngineProcess, START_DEADLINE_MS } from "./process.js";
import { displayName, type Timeouts } from "./protocol.js";

export interface EngineOptions {
  /** Folder that belongs to this engine alone; made if it is not there. */
  readonly dataDir: string;
  /** Default 127.0.0.1 and a free port. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Bytes that all statements, merges and caches together may use. Default 2 GiB. */
  readonly memory?: number;
  /** What one caller may take; default {@link DEFAULT_LIMITS}. */
  readonly limits?: EngineLimits;
  /** Default 20 s for a request's head, five minutes for a stalled body or result. */
  readonly timeouts?: Timeouts;
  /** Milliseconds between two heartbeats. Default 1 s. */
  readonly heartbeatMs?: number;
  /** Milliseconds without an answered heartbeat after which the engine is taken for hung and killed. Default 30 s. */
  readonly hungAfterMs?: number;
}

/**
 * `starting → up → down → starting …`, `closed` at last. `down` means that the engine's process has ended and will be
 * started again, by itself after a death, by `restart()` after a `kill()`.
 */
export type EngineState = "starting" | "up" | "down" | "closed";

const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 5 * SECOND_MS;
/** An engine that lived this long did not die of its start. */
const HEALTHY_AFTER_MS = MINUTE_MS;
const JOIN_INTERVAL_MS = 100;
const CLOSE_DEADLINE_MS = 10 * SECOND_MS;

interface EngineEvents {
  /** The new state; for `down` with what happened. */
  state: [state: EngineState, reason?: ColdpathError];
}

/**
 * The embedded ClickHouse, seen from the process that uses it: starts the engine's process, watches it and starts it
 * again when it dies. Use it over HTTP at {@link url}.
 */
export class Engine extends EventEmitter<EngineEvents> {
  readonly user: string = USER;
  /** Password of {@link user}; without it one may only read. */
  readonly password: string;
  readonly #options: EngineOptions;
  readonly #folder: EngineFolder;
  #process: EngineProcess | undefined;
  /** Resolves when the latest process is gone, and with it its lock and its port. */
  #gone: Promise<unknown> = Promise.resolve();
  /** Each start and each {@link kill} takes the next number; a start whose number is not the latest has lost. */
  #launches = 0;
  #mayJoin = false;
  #watch: NodeJS.Timeout | undefined;
  #joined: { readonly url: string; readonly pid: number } | undefined;
  #url = "";
  #brokenParts: readonly string[] = [];
  #state: EngineState = "down";
  /** After {@link kill}: no restart until it is asked for. */
  #staysDown = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartMs = RESTART_FIRST_MS;

  private constructor(options: EngineOptions) {
    super();
    this.#options = options;
    this.#folder = new EngineFolder(options.dataDir);
    this.password = createFolder(this.#folder);
  }

  /**
   * Starts an engine on the folder and waits until it answers.
   *
   * @throws ColdpathError ENGINE_NOT_INSTALLED, ENGINE_FOLDER_LOCKED, ENGINE_FOLDER_DAMAGED or ENGINE_FAILED
   */
  static async start(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options);
    await engine.#launch();
    return engine;
  }

  /** Uses the engine that another coldpath process runs on this folder, if one answers there; else starts one. */
  static async startOrJoin(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options);
    engine.#mayJoin = true;
    await engine.#joinOrLaunch();
    return engine;
  }

  /** `http://127.0.0.1:PORT`, the same over restarts; another one may come when the engine of another process ended. */
  get url(): string {
    return this.#url;
  }

  /**
   * Parts that the engine found damaged at a start and put aside, as `database.table/part`: their rows are missing. None
   * is told of an engine that was joined.
   */
  get brokenParts(): readonly string[] {
    return this.#brokenParts;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Of the engine's process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#joined?.pid ?? this.#process?.pid;
  }

  /** Whether this process started the engine, and not another one that is only used here. */
  get isOwner(): boolean {
    return this.#joined === undefined;
  }

  /** Kills the engine's process as a crash would. It stays down until {@link restart}. */
  kill(): void {
    assert.ok(this.isOwner, "an engine of another process is not ours to kill");
    clearTimeout(this.#restartTimer);
    this.#staysDown = true;
    this.#launches += 1;
    const process = this.#process;
    this.#process = undefined;
    process?.kill();
    if (this.#state !== "closed") this.#enter("down");
  }

  /** Starts the engine's process again at the same address, after killing what is left of the old one. */
  async restart(): Promise<void> {
    this.kill();
    this.#staysDown = false;
    await this.#launch();
  }

  /** Lets running statements finish, ends the engine's process and waits for it, at most ten seconds. */
  async close(): Promise<void> {
    clearTimeout(this.#restartTimer);
    clearInterval(this.#watch);
    this.#launches += 1;
    const process = this.#process;
    this.#process = undefined;
    if (this.#state !== "closed") this.#enter("closed");
    await process?.close(CLOSE_DEADLINE_MS);
    await this.#gone;
  }

  async #joinOrLaunch(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    let locked: ColdpathError | undefined;
    while (!(await this.#join())) {
      // While another process holds the lock, its engine will be ready soon.
      if (locked === undefined || !this.#folder.isHeld()) {
        locked = await this.#launch().then(() => undefined, orLocked);
        if (locked === undefined) return;
      }
      if (performance.now() > deadline) throw locked;
      await delay(JOIN_INTERVAL_MS);
    }
  }

  async #join(): Promise<boolean> {
    const launch = this.#launches;
    const endpoint = this.#folder.readEndpoint();
    if (endpoint === undefined) return false;
    const answer = await fetch(`${endpoint.url}/ping`, { signal: AbortSignal.timeout(2 * SECOND_MS) }).catch(
      () => undefined,
    );
    if (answer?.headers.get("x-clickhouse-server-display-name") !== displayName(endpoint.bootId))
      return false;
    if (launch !== this.#launches) throw stopped();
    this.#joined = endpoint;
    this.#url = endpoint.url;
    this.#enter("up");
    this.#watch = setInterval(() => this.#watchJoined(endpoint), this.#options.heartbeatMs ?? SECOND_MS);
    this.#watch.unref();
    return true;
  }

  /** Nothing tells a process that is not the parent of the engine's end, so it looks. */
  #watchJoined({ pid, bootId }: Endpoint): void {
    if (isAlive(pid) && this.#folder.readEndpoint()?.bootId === bootId) return;
    clearInterval(this.#watch);
    this.#joined = undefined;
    const message = `the embedded ClickHouse of another process (process ${pid}) has ended`;
    this.#enter("down", new ColdpathError("ENGINE_FAILED", message));
    this.#restartLater();
  }

  async #launch(): Promise<void> {
    const { host, port } = this.#options.listen ?? { host: "127.0.0.1", port: 0 };
    this.#launches += 1;
    const launch = this.#launches;
    this.#enter("starting");
    await this.#gone;
    if (launch !== this.#launches) throw stopped();
    const process = new EngineProcess(this.#folder, {
      host,
      port: this.#url === "" ? port : Number(new URL(this.#url).port),
      memory: this.#options.memory ?? 2 * GIB,
      limits: this.#options.limits ?? DEFAULT_LIMITS,
      timeouts: this.#options.timeouts ?? { headersMs: 20 * SECOND_MS, stallMs: 5 * MINUTE_MS },
      heartbeatMs: this.#options.heartbeatMs ?? SECOND_MS,
      hungAfterMs: this.#options.hungAfterMs ?? 30 * SECOND_MS,
    });
    this.#process = process;
    this.#gone = process.ended;
    try {
      const ready = await process.ready;
      this.#url = ready.url;
      this.#brokenParts = ready.brokenParts;
    } catch (error) {
      if (this.#process === process) {
        this.#process = undefined;
        this.#enter("down", error as ColdpathError);
      }
      throw error;
    }
    if (launch !== this.#launches) {
      process.kill();
      throw stopped();
    }
    this.#enter("up");
    const since = performance.now();
    void process.ended.then((reason) => this.#onDeath(process, reason, performance.now() - since));
  }

  #onDeath(process: EngineProcess, reason: ColdpathError, livedMs: number): void {
    if (this.#process !== process) return;
    if (livedMs > HEALTHY_AFTER_MS) this.#restartMs = RESTART_FIRST_MS;
    this.#process = undefined;
    this.#enter("down", reason);
    this.#restartLater();
  }

  #restartLater(): void {
    this.#restartTimer = setTimeout(
      () => {
        const start = this.#mayJoin ? this.#joinOrLaunch() : this.#launch();
        start.catch(() => {
          // Its reason was announced with the state.
          if (this.#state === "down" && !this.#staysDown) this.#restartLater();
        });
      },
      this.#restartMs * (0.5 + Math.random()),
    );
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
  }

  #enter(state: EngineState, reason?: ColdpathError): void {
    this.#state = state;
    if (reason === undefined) this.emit("state", state);
    else this.emit("state", state, reason);
  }
}

/** @returns the secret in it @throws ColdpathError ENGINE_FOLDER_DAMAGED for a folder that cannot be used */
function createFolder(folder: EngineFolder): string {
  try {
    return folder.create().secret;
  } catch (cause) {
    const message = `the data folder ${folder.root} cannot be used (${messageOf(cause)}); mend its rights, or choose another folder`;
    throw new ColdpathError("ENGINE_FOLDER_DAMAGED", message, { cause });
  }
}

/** @throws the error of a start, unless it is that another process holds the folder */
function orLocked(error: unknown): ColdpathError {
  if (error instanceof ColdpathError && error.code === "ENGINE_FOLDER_LOCKED") return error;
  throw error;
}

function stopped(): ColdpathError {
  return new ColdpathError("ENGINE_FAILED", "the embedded ClickHouse was stopped while it started");
}
