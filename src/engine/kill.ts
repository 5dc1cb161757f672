import { quoteString } from "../clickhouse/quote.js";
import type { ActiveRequest, Registry } from "./registry.js";
import type { Sessions } from "./sessions.js";
import type { Setup } from "./setup.js";
import type { KillStatement } from "./statement.js";

/**
 * KILL QUERY over all requests that the interface has accepted. The engine's own statement would not do: it knows
 * neither the query ids of requests nor those that still wait, and its SYNC never returns.
 */
export async function killQuery(
  statement: KillStatement,
  own: ActiveRequest,
  registry: Registry,
  sessions: Sessions,
  setup: Setup,
): Promise<readonly KilledRequest[]> {
  const others = registry.all.filter((request) => request !== own);
  const ids = await matching(statement, others, sessions, setup);
  const matched = others.filter((request) => ids.has(request.identity.queryId));
  if (statement.mode !== "TEST") {
    for (const request of matched) request.cancel("KILL QUERY");
    const isSync = statement.mode === "SYNC";
    // Not before the engine is seen to cancel it: who looks into system.processes next must find it, or find it over.
    const settled = Promise.all(matched.map((request) => (isSync ? request.ended : request.stopping)));
    await Promise.race([settled, own.aborted]);
  }
  const status = { SYNC: "finished", ASYNC: "waiting", TEST: "unknown" }[statement.mode];
  return matched.map(({ identity }) => ({ status, ...identity }));
}

/** A line of KILL QUERY's answer. */
export interface KilledRequest {
  readonly status: string;
  readonly queryId: string;
  readonly user: string;
  readonly text: string;
}

/** The SELECT that gives KILL QUERY's answer in any format. */
export function answerOf(killed: readonly KilledRequest[]): string {
  const rows = killed.map((each) => tuple([each.status, each.queryId, each.user, each.text]));
  const columns = "'kill_status String, query_id String, user String, query String'";
  return `SELECT * FROM values(${[columns, tuple(["", "", "", ""]), ...rows].join(", ")}) WHERE query_id != ''`;
}

/** Columns of `system.processes` that a condition may use. */
const COLUMNS = [
  "is_initial_query UInt8",
  "query_id String",
  "initial_query_id String",
  "user String",
  "initial_user String",
  "current_database String",
  "query String",
  "elapsed Float64",
  "is_cancelled UInt8",
  "Settings Map(String, String)",
].join(", ");

/** Lets the engine evaluate the condition, whatever it is, over the requests. */
async function matching(
  statement: KillStatement,
  requests: readonly ActiveRequest[],
  sessions: Sessions,
  setup: Setup,
): Promise<ReadonlySet<string>> {
  if (requests.length === 0) return new Set();
  const rows = requests.map(rowOf).join(", ");
  const sql = `SELECT query_id FROM values(${quoteString(COLUMNS)}, ${rows}) WHERE ${statement.condition}\nFORMAT JSONCompactColumns`;
  const result = await sessions.with(setup, (session) => session.queryAsync(sql));
  const [ids = []] = JSON.parse(Buffer.from(result.bytes()).toString("utf8")) as string[][];
  return new Set(ids);
}

function rowOf(request: ActiveRequest): string {
  const { queryId, user, database, text, settings } = request.identity;
  const elapsed = ((performance.now() - request.startedAt) / 1000).toFixed(6);
  const map = `map(${[...settings].flat().map(quoteString).join(", ")})`;
  const isCancelled = request.signal.aborted ? 1 : 0;
  const texts = [queryId, queryId, user, user, database, text].map(quoteString);
  return `(1, ${texts.join(", ")}, ${elapsed}, ${isCancelled}, ${map})`;
}

function tuple(texts: readonly string[]): string {
  return `(${texts.map(quoteString).join(", ")})`;
}
