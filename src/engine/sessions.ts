import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { ChdbModule, ChdbResult, ChdbSession } from "./chdb.js";
import { exceptionOf } from "./exception.js";
import type { HeldSession } from "./held-session.js";

/** What holds for one statement alone. */
export interface Setup {
  readonly database: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}` in ClickHouse's text form. */
  readonly params: ReadonlyMap<string, string>;
  /** The statement may read and change settings, nothing else. */
  readonly readonly: boolean;
  /** The session that the request names. */
  readonly held: HeldSession | undefined;
  /** What the statement leaves in its session. */
  readonly leaves: Leaves;
}

/** `table`: a temporary one; `settings`: those, or a current database. */
export type Leaves = "nothing" | "table" | "settings";

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
      const statements = setupStatements(setup);
      if (statements.length > 0) await session.queryAsync(statements.join("; "));
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

/** Statements that make a session ready for one of a request. */
export function setupStatements(setup: Setup): string[] {
  const statements: string[] = [];
  // A fresh session is in `default`, one that is held may be elsewhere.
  if (setup.database !== undefined && (setup.held !== undefined || setup.database !== "default"))
    statements.push(`USE ${quoteName(setup.database)}`);
  const values = [...setup.settings].filter(([name]) => !(setup.readonly && name === "readonly"));
  const params = [...setup.params].map(([name, value]) => [`param_${name}`, value] as const);
  const assignments = [...values, ...params].map(([name, value]) => `${name} = ${quoteString(value)}`);
  if (assignments.length > 0) statements.push(`SET ${assignments.join(", ")}`);
  // Last, because it forbids what would loosen it. A request may ask for the stricter 1.
  if (setup.readonly) statements.push(`SET readonly = ${setup.settings.get("readonly") === "1" ? 1 : 2}`);
  return statements;
}
