import { KIB } from "../base/units.js";
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

/** Bytes that a statement may have unless a setting says otherwise. */
const QUERY_MAX = 256 * KIB;

/**
 * Makes a session ready for one statement of a request.
 *
 * @param queryMax the session's own `max_query_size`, as SET has it
 * @throws the engine's error
 */
export async function setUp(session: ChdbSession, setup: Setup, queryMax = "DEFAULT"): Promise<void> {
  const plain = setupStatements(setup, undefined).join("; ");
  if (plain === "") return;
  const bytes = Buffer.byteLength(plain);
  if (bytes <= QUERY_MAX) return void (await session.queryAsync(plain));
  // The values of parameters may be longer than a statement; that of the request is bounded as before.
  await session.queryAsync(`SET max_query_size = ${2 * bytes}`);
  await session.queryAsync(setupStatements(setup, queryMax).join("; "));
}

/** @param queryMax to be set, unless the request does; undefined to leave it */
function setupStatements(setup: Setup, queryMax: string | undefined): string[] {
  const statements: string[] = [];
  // A fresh session is in `default`, one that is held may be elsewhere.
  if (setup.database !== undefined && (setup.held !== undefined || setup.database !== "default"))
    statements.push(`USE ${quoteName(setup.database)}`);
  const values = [...setup.settings].filter(([name]) => name !== "readonly");
  const params = [...setup.params].map(([name, value]) => [`param_${name}`, value] as const);
  const assignments = [...values, ...params].map(([name, value]) => `${name} = ${quoteString(value)}`);
  if (queryMax !== undefined && !setup.settings.has("max_query_size"))
    assignments.unshift(`max_query_size = ${queryMax}`);
  if (assignments.length > 0) statements.push(`SET ${assignments.join(", ")}`);
  const readonly = setup.settings.get("readonly");
  // Last, because it forbids what would loosen it. A request may ask for the stricter 1.
  if (setup.readonly) statements.push(`SET readonly = ${readonly === "1" ? 1 : 2}`);
  else if (readonly !== undefined) statements.push(`SET readonly = ${quoteString(readonly)}`);
  return statements;
}
