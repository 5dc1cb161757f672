import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { ChdbModule, ChdbResult, ChdbSession } from "./chdb.js";
import { exceptionOf } from "./exception.js";

/** What holds for one statement alone. */
export interface Setup {
  readonly database: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}` in ClickHouse's text form. */
  readonly params: ReadonlyMap<string, string>;
  /** The statement may read and change settings, nothing else. */
  readonly readonly: boolean;
}

/**
 * Engine sessions, a fresh one for each statement: a setting, a current database, a temporary table or a connection
 * that a broken INSERT left unusable ends with the statement. Opening one costs half a millisecond.
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
    this.#anchor = this.#open();
  }

  /** Runs `work` in a session of its own that has been set up. @throws ClickHouseError what the engine says */
  async with<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    const session = this.#open();
    try {
      const statements = setupStatements(setup);
      if (statements.length > 0) await session.queryAsync(statements.join("; "));
      return await work(session);
    } catch (error) {
      throw exceptionOf(error) ?? error;
    } finally {
      session.close();
    }
  }

  /** Runs a statement of ours. */
  async query(sql: string, format = "TSV"): Promise<ChdbResult> {
    return this.with(NO_SETUP, (session) => session.queryAsync(sql, { format }));
  }

  close(): void {
    this.#anchor.close();
  }

  #open(): ChdbSession {
    return new this.#chdb.Session(this.#path, { connectionArgs: this.#args });
  }
}

const NO_SETUP: Setup = { database: undefined, settings: new Map(), params: new Map(), readonly: false };

function setupStatements(setup: Setup): string[] {
  const statements: string[] = [];
  if (setup.database !== undefined && setup.database !== "default")
    statements.push(`USE ${quoteName(setup.database)}`);
  const values = [...setup.settings].filter(([name]) => !(setup.readonly && name === "readonly"));
  const params = [...setup.params].map(([name, value]) => [`param_${name}`, value] as const);
  const assignments = [...values, ...params].map(([name, value]) => `${name} = ${quoteString(value)}`);
  if (assignments.length > 0) statements.push(`SET ${assignments.join(", ")}`);
  // Last, because it forbids what would loosen it. A request may ask for the stricter 1.
  if (setup.readonly) statements.push(`SET readonly = ${setup.settings.get("readonly") === "1" ? 1 : 2}`);
  return statements;
}
