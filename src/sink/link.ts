import assert from "node:assert";
import { type Clock, sleep } from "../base/clock.js";
import { messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import { type ClickHouse, type ServerLife, sameLife } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
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
/** A request that takes so long is reason to ask if the server still answers. */
const LONG_MS = 3_000;
const SUSPECT_DEADLINE_MS = 3_000;

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
 * While it is down nothing is sent; one probe reads ClickHouse's start time until it answers, at each endpoint in turn, and the
 * first that does is used from then on. Back on the preferred endpoint the link is recovering, too.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #probing: Backoff;
  readonly #closed = new AbortController();
  #state: LinkState = "up";
  #reason = "connected";
  /** Monotonic milliseconds. */
  #since: number;
  #life: ServerLife | undefined;
  /** While it has not been done: what is asked of ClickHouse when it answers for the first time. */
  #meet: (() => Promise<void>) | undefined;
  /** Why the last time did not do. */
  #refusal: string | undefined;
  #silent = 0;
  #waiting: (() => void)[] = [];
  #probeError: string | undefined;
  #isSuspected = false;

  /** `life` has just been read; without it begin with {@link awaitFirst}. */
  constructor(options: LinkOptions, life?: ServerLife) {
    this.#options = options;
    this.#life = life;
    this.#since = options.clock.monotonic();
    this.#probing = new Backoff(PROBE_FIRST_MS, PROBE_MOST_MS, options.random);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** What brought it into its state. */
  get reason(): string {
    return this.#reason;
  }

  /** For how long it has been in its state. */
  get seconds(): number {
    return (this.#options.clock.monotonic() - this.#since) / SECOND_MS;
  }

  /** The life of ClickHouse that was last seen; there is one whenever the link is not down. */
  get life(): ServerLife {
    assert(this.#life !== undefined, "ClickHouse was seen");
    return this.#life;
  }

  /** The same, and undefined if none was seen. */
  get lastLife(): ServerLife | undefined {
    return this.#life;
  }

  /**
   * Nothing was read of ClickHouse yet, since it is away. Once it answers, `meet` asks it whatever a start asks; the link stays down until
   * that has resolved, and it is tried again. A refusal that is an answer is told, once for each reason.
   */
  awaitFirst(reason: string, meet: () => Promise<void>): void {
    this.#meet = meet;
    this.#probeError = reason;
    this.#become("down", reason);
  }

  /** Why the last probe failed, while the link is down. */
  get probeError(): string | undefined {
    return this.#probeError;
  }

  /** Reads which life of ClickHouse answers now. @throws what the request throws, UnreachableError if we left that endpoint meanwhile. */
  async readLife(signal: AbortSignal): Promise<ServerLife> {
    const { clickhouse } = this.#options;
    const at = clickhouse.endpoint;
    const life = await clickhouse.life({ at, timeoutMs: PROBE_DEADLINE_MS, signal });
    if (at !== clickhouse.endpoint)
      throw new UnreachableError(`ClickHouse at ${at}: another endpoint is used now`, { endpoint: at });
    this.#note(life);
    return life;
  }

  /**
   * Uses another endpoint from now on, once it has told its life; what runs on the old one is cut off. Does nothing if there was
   * another move meanwhile.
   * @throws what the question throws; the endpoint stays then.
   */
  async move(endpoint: string, reason: string, signal: AbortSignal): Promise<void> {
    const { clickhouse, report } = this.#options;
    const from = clickhouse.endpoint;
    const life = await clickhouse.life({ at: endpoint, timeoutMs: PROBE_DEADLINE_MS, signal });
    if (from !== clickhouse.endpoint) return;
    clickhouse.use(endpoint);
    await this.#meet?.();
    this.#meet = undefined;
    this.#silent = 0;
    if (from !== endpoint) report({ kind: "endpoint", from, to: endpoint, reason });
    this.#note(life);
    this.#become("recovering", reason);
  }

  /**
   * Watches over a request until the function returned is called. Where there is another endpoint to go to, one that takes long makes
   * us ask once if the server still answers: a server that went silent would hold every request up to its deadline.
   */
  watch(): () => void {
    const { clickhouse, clock } = this.#options;
    return clickhouse.endpoints.length === 1 ? () => {} : clock.after(LONG_MS, () => void this.#suspect());
  }

  async #suspect(): Promise<void> {
    const { clickhouse } = this.#options;
    if (this.#isSuspected || this.#state === "down") return;
    this.#isSuspected = true;
    const at = clickhouse.endpoint;
    try {
      await clickhouse.life({ at, timeoutMs: SUSPECT_DEADLINE_MS, signal: this.#closed.signal });
    } catch (error) {
      if (error instanceof UnreachableError && at === clickhouse.endpoint && !this.#closed.signal.aborted)
        this.#become("down", error.message);
    } finally {
      this.#isSuspected = false;
    }
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
    // What was cut off on leaving an endpoint says nothing of the next one.
    const { endpoint } = this.#options.clickhouse;
    if (error.endpoint !== undefined && error.endpoint !== endpoint) return;
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

  #note(life: ServerLife): void {
    const before = this.#life;
    this.#life = life;
    if (before !== undefined && !sameLife(before, life) && before.endpoint === life.endpoint)
      this.#options.report({ kind: "clickhouse_restarted", from: before, to: life });
  }

  /** The only place where the state changes; each change is reported once. */
  #become(state: LinkState, reason: string): void {
    const from = this.#state;
    if (from === state) return;
    const { seconds } = this;
    const { clickhouse, clock, report } = this.#options;
    this.#state = state;
    this.#reason = reason;
    this.#since = clock.monotonic();
    report({ kind: "link", from, to: state, reason, endpoint: clickhouse.endpoint, seconds });
    if (state === "down") void this.#probe(this.#probeOrder());
    else if (from === "down") for (const wake of this.#waiting.splice(0)) wake();
  }

  /** It answered and may not be used yet. */
  #refused(endpoint: string, message: string): void {
    if (this.#meet === undefined || message === this.#refusal) return;
    this.#refusal = message;
    this.#options.report({ kind: "start_refused", endpoint, message });
  }

  /** The preferred one first, and that which has just failed last: it may tell its life and answer nothing else. */
  #probeOrder(): readonly string[] {
    const { endpoints, endpoint } = this.#options.clickhouse;
    return [...endpoints.filter((each) => each !== endpoint), endpoint];
  }

  async #probe(order: readonly string[]): Promise<void> {
    const signal = this.#closed.signal;
    this.#probing.reset();
    while (!signal.aborted) {
      const errors: string[] = [];
      try {
        await sleep(this.#options.clock, this.#probing.next(), signal);
      } catch {
        return;
      }
      for (const endpoint of order) {
        if (this.#state !== "down") return;
        try {
          await this.move(endpoint, "ClickHouse answers again", signal);
          this.#probeError = undefined;
          return;
        } catch (error) {
          if (signal.aborted) return;
          errors.push(messageOf(error));
          if (!(error instanceof UnreachableError)) this.#refused(endpoint, messageOf(error));
        }
      }
      this.#probeError = errors.join("; ");
    }
  }
}
