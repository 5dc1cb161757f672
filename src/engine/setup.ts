import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { ChdbSession } from "./chdb.js";

/** What holds for one statement alone. */
export interface Setup {
  readonly database: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}` in ClickHouse's text form. */
  readonly params: ReadonlyMap<string, string>;
  /** The statement may read and change settings, nothing else. */
  readonly readonly: boolean;
  /** The session that the request names. */
  readonly held: Held | undefined;
  /** What the statement leaves in its session. */
  readonly leaves: Leaves;
}

/** `table`: a temporary one; `settings`: those, or a current database. */
export type Leaves = "nothing" | "table" | "settings";

/** A session that outlives its requests. */
export interface Held {
  /** No statement has left anything in it. */
  readonly isBlank: boolean;
  /** Runs `work` in it with what the request brings. @throws the engine's error */
  with<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T>;
}

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
