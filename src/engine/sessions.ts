import type { ChdbModule, ChdbResult, ChdbSession } from "./chdb.js";
import { exceptionOf } from "./exception.js";
import { type Setup, setUp } from "./setup.js";

/**
 * Engine sessions, a fresh one for each statement unless its request names one: a setting, a current database, a
 * temporary table or a connection that a broken INSERT left unusable ends with the statement. Opening one costs half a
 * millisecond.
 */
export class Sessions {
  readonly #chdb: ChdbModule;
  readonly #path: string;
  readonly #args: readonly string[];
  /** Keeps the engine open between statements. */
  readonly #anchor: ChdbSession;

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
      return await this.#withFresh(setup, work);
    } catch (error) {
      throw exceptionOf(error) ?? error;
    }
  }

  /** Runs a statement of ours. */
  async query(sql: string, format = "TSV"): Promise<ChdbResult> {
    return this.with(NO_SETUP, (session) => session.queryAsync(sql, { format }));
  }

  close(): void {
    this.#anchor.close();
  }

  /** A new engine session, which the caller closes. */
  open(): ChdbSession {
    return new this.#chdb.Session(this.#path, { connectionArgs: this.#args });
  }

  async #withFresh<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    const session = this.open();
    try {
      await setUp(session, setup);
      return await work(session);
    } finally {
      session.close();
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
