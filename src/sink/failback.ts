import { type Clock, sleep } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import { type ClickHouse, type ServerLife, sameLife } from "../clickhouse/client.js";
import type { InFlight } from "./in-flight.js";
import type { Link } from "./link.js";

export interface FailbackOptions {
  readonly clickhouse: ClickHouse;
  readonly link: Link;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  /** Aborted at the recorder's end. */
  readonly signal: AbortSignal;
}

const LOOK_MS: number = 5 * SECOND_MS;
const LOOK_DEADLINE_MS: number = 2 * SECOND_MS;
const STEADY_FIRST_MS: number = 30 * SECOND_MS;
const STEADY_MOST_MS: number = 30 * MINUTE_MS;
/** An endpoint that fell within so many of its steady times has to be steady for twice as long the next time. */
const SOON = 10;

/**
 * Brings the link back to the preferred endpoint once that has answered steadily, in one life and without a gap. What runs
 * elsewhere is waited for first, so nothing is cut off and nothing gets into doubt by it.
 */
export class Failback {
  readonly #options: FailbackOptions;
  #isWatching = false;
  #steadyMs = STEADY_FIRST_MS;
  #returnedAt = -Infinity;

  constructor(options: FailbackOptions) {
    this.#options = options;
  }

  /** To be called when the endpoint in use may have changed. */
  look(): void {
    const { signal, clock } = this.#options;
    if (this.#isWatching || this.#isHome || signal.aborted) return;
    this.#isWatching = true;
    const fellSoon = clock.monotonic() - this.#returnedAt < SOON * this.#steadyMs;
    this.#steadyMs = fellSoon ? Math.min(this.#steadyMs * 2, STEADY_MOST_MS) : STEADY_FIRST_MS;
    this.#watch()
      .catch((error: unknown) => {
        if (!signal.aborted) throw error;
      })
      .finally(() => {
        this.#isWatching = false;
      });
  }

  get #preferred(): string {
    return this.#options.clickhouse.endpoints[0]!;
  }

  get #isHome(): boolean {
    return this.#options.clickhouse.endpoint === this.#preferred;
  }

  async #watch(): Promise<void> {
    const { clock, signal } = this.#options;
    let steady: { readonly life: ServerLife; readonly since: number } | undefined;
    while (!this.#isHome) {
      await sleep(clock, LOOK_MS, signal);
      const life = await this.#lifeAtHome();
      const now = clock.monotonic();
      if (life === undefined) steady = undefined;
      else if (steady === undefined || !sameLife(steady.life, life)) steady = { life, since: now };
      else if (now - steady.since >= this.#steadyMs) {
        await this.#goHome();
        steady = undefined;
      }
    }
  }

  /** Undefined if it does not answer as a ClickHouse that takes us. */
  async #lifeAtHome(): Promise<ServerLife | undefined> {
    const { clickhouse, signal } = this.#options;
    try {
      return await clickhouse.life({ at: this.#preferred, timeoutMs: LOOK_DEADLINE_MS, signal });
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  async #goHome(): Promise<void> {
    const { inFlight, link, clock, signal } = this.#options;
    const letOn = await inFlight.drain(signal);
    try {
      // While it is down its own probe tries all of them.
      if (this.#isHome || link.state === "down") return;
      await link.move(this.#preferred, "it answers steadily again", signal);
      this.#returnedAt = clock.monotonic();
    } catch (error) {
      // It fell while we waited, or refuses us: it has to be steady anew.
      if (!(error instanceof ColdpathError)) throw error;
    } finally {
      letOn();
    }
  }
}
