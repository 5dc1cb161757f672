import { type Clock, sleep } from "../base/clock.js";
import { messageOf } from "../base/errors.js";
import { type ClickHouse, type ServerLife, sameLife } from "../clickhouse/client.js";
import type { UnreachableError } from "../clickhouse/error.js";
import { Backoff } from "./backoff.js";
import type { LinkState, Report } from "./events.js";

export interface LinkOptions {
  readonly clickhouse: ClickHouse;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
}

/** So many requests in a row without an answer, and the link counts as down. */
const SILENT_MAX = 3;
const PROBE_FIRST_MS = 100;
const PROBE_MOST_MS = 5_000;
const PROBE_DEADLINE_MS = 5_000;

/**
 * The link to ClickHouse, for all tables together:
 *
 * ```
 *           an answer that asks for patience, or none        3 × none, or no connection
 *   up ────────────────────────────────────────▶ degraded ─────────────────────────────▶ down
 *    ▲◀────────────────── stored ────────────────────┘                                    │ ▲
 *    └───────────────── stored ───────────────── recovering ◀──── start time read ────────┘ │
 *                                                     └────────────── no answer ────────────┘
 * ```
 *
 * While it is down nothing is sent; one probe reads ClickHouse's start time until it answers.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #probing: Backoff;
  readonly #closed = new AbortController();
  #state: LinkState = "up";
  #life: ServerLife;
  #silent = 0;
  #waiting: (() => void)[] = [];
  #probeError: string | undefined;

  /** `life` has just been read. */
  constructor(options: LinkOptions, life: ServerLife) {
    this.#options = options;
    this.#life = life;
    this.#probing = new Backoff(PROBE_FIRST_MS, PROBE_MOST_MS, options.random);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The life of ClickHouse that was last seen. */
  get life(): ServerLife {
    return this.#life;
  }

  /** Why the last probe failed, while the link is down. */
  get probeError(): string | undefined {
    return this.#probeError;
  }

  /** Reads which life of ClickHouse answers now. @throws what the request throws. */
  async readLife(signal: AbortSignal): Promise<ServerLife> {
    const life = await this.#options.clickhouse.life({ timeoutMs: PROBE_DEADLINE_MS, signal });
    const before = this.#life;
    this.#life = life;
    if (!sameLife(before, life))
      this.#options.report({ kind: "clickhouse_restarted", from: before, to: life });
    return life;
  }

  /** Resolves as soon as the link is not down. */
  async usable(signal: AbortSignal): Promise<void> {
    while (this.#state === "down") {
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => reject(signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
        this.#waiting.push(() => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        });
      });
    }
    signal.throwIfAborted();
  }

  /** A request did what it should. */
  worked(): void {
    this.#silent = 0;
    if (this.#state !== "down") this.#become("up", "stored");
  }

  /** ClickHouse answered and asked for patience. */
  struggles(reason: string): void {
    this.#silent = 0;
    if (this.#state === "up") this.#become("degraded", reason);
  }

  /** A request got no answer that can be believed. */
  failed(error: UnreachableError): void {
    this.#silent += 1;
    if (this.#state === "down") return;
    if (error.neverSent || this.#silent >= SILENT_MAX || this.#state === "recovering")
      this.#become("down", error.message);
    else this.#become("degraded", error.message);
  }

  /** Ends the probe. Those who wait do so by signals of their own. */
  close(): void {
    this.#closed.abort();
  }

  /** The only place where the state changes; each change is reported once. */
  #become(state: LinkState, reason: string): void {
    const from = this.#state;
    if (from === state) return;
    this.#state = state;
    this.#options.report({ kind: "link", from, to: state, reason });
    if (state === "down") void this.#probe();
    else if (from === "down") for (const wake of this.#waiting.splice(0)) wake();
  }

  async #probe(): Promise<void> {
    const signal = this.#closed.signal;
    this.#probing.reset();
    while (!signal.aborted) {
      try {
        await sleep(this.#options.clock, this.#probing.next(), signal);
        await this.readLife(signal);
        this.#silent = 0;
        this.#probeError = undefined;
        this.#become("recovering", "ClickHouse answers again");
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#probeError = messageOf(error);
      }
    }
  }
}
