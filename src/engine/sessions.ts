import type { ChdbModule, ChdbResult, ChdbSession } from "./chdb.js";
import { exceptionOf } from "./exception.js";
import { HeldSession } from "./held-session.js";
import { SWEEPING } from "./session-head.js";
import type { Setup } from "./setup.js";

/**
 * Engine sessions. A request without a session of its own gets one that is as if new: what it brings is taken back after
 * its statement, and the next request uses it. They cannot be had anew for each: `chdb` keeps what is closed beside a running
 * statement until that ends, and by each of them more than by the one before.
 */
export class Sessions {
  readonly #chdb: ChdbModule;
  readonly #path: string;
  readonly #args: readonly string[];
  /** Keeps the engine open between statements. */
  readonly #anchor: ChdbSession;
  /** Nothing is left in them. */
  readonly #idle: HeldSession[] = [];

  /** @throws the engine's error when it cannot open the folder */
  constructor(chdb: ChdbModule, path: string, args: readonly string[]) {
    this.#chdb = chdb;
    this.#path = path;
    this.#args = args;
    this.#anchor = this.open();
  }

  /** Runs `work` in a session that has been set up. @throws ClickHouseError what the engine says */
  async with<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    const { held } = setup;
    try {
      if (held !== undefined && !(held.isBlank && setup.leaves === "nothing"))
        return await held.with(setup, work);
      return await this.#withIdle(setup, work);
    } catch (error) {
      throw exceptionOf(error) ?? error;
    }
  }

  /** Runs a statement of ours. */
  async query(sql: string, format = "TSV"): Promise<ChdbResult> {
    return this.with(NO_SETUP, (session) => session.queryAsync(sql, { format }));
  }

  close(): void {
    for (const held of this.#idle) held.close();
    this.#anchor.close();
  }

  /** A new engine session, which the caller closes. */
  open(): ChdbSession {
    return new this.#chdb.Session(this.#path, { connectionArgs: this.#args });
  }

  async #withIdle<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    const held = this.#idle.pop() ?? new HeldSession(() => this.open());
    try {
      return await held.with(setup, work);
    } finally {
      if (setup.leaves !== "nothing" || SWEEPING.some((name) => setup.settings.has(name))) held.close();
      else if (!held.isBroken) this.#idle.push(held);
    }
  }
}

const NO_SETUP: Setup = {
  database: undefined,
  settings: new Map(),
  params: new Map(),
  readonly: false,
  held: undefined,
  leaves: "nothing",
};
