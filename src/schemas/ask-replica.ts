import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { ClickHouse, RequestOptions } from "../clickhouse/client.js";
import { quoteName } from "../clickhouse/quote.js";
import type { Table } from "./table.js";

/** So many answers may come from another replica than the one that was brought up to date. */
const SAME_REPLICA_TRIES = 8;
/** It takes seconds, or with much load minutes. */
const FETCH_MS: number = 2 * MINUTE_MS;

export interface ReplicaQuestion<T> extends Pick<RequestOptions, "signal"> {
  readonly clickhouse: ClickHouse;
  readonly table: Table;
  /** Address to ask. Default: the one in use. */
  readonly at?: string;
  /** Milliseconds for what other replicas have to be fetched. Default 2 min. */
  readonly fetchMs?: number;
  /** Asks once, with these options. */
  readonly ask: (request: Required<Pick<RequestOptions, "at" | "onAnswer">>) => Promise<T>;
  /** Whether an answer holds whichever replica gave it. Default: none does. */
  readonly isSure?: (answer: T) => boolean;
}

/**
 * Asks a table what it holds. A replicated one first fetches what other replicas have; behind one address may be several replicas, and
 * what is missing is missing only on the one that fetched.
 * @throws UnreachableError, ClickHouseError, or ColdpathError DEADLINE if the two never came from one replica.
 */
export async function askReplica<T>(question: ReplicaQuestion<T>): Promise<T> {
  const {
    clickhouse,
    table,
    at = clickhouse.endpoint,
    fetchMs = FETCH_MS,
    ask,
    isSure = () => false,
  } = question;
  let host = "";
  const request = {
    at,
    onAnswer: (answering: string) => {
      host = answering;
    },
  };
  if (!table.replicated) return await ask(request);
  await clickhouse.command(
    `SYSTEM SYNC REPLICA ${quoteName(table.database)}.${quoteName(table.name)} LIGHTWEIGHT`,
    {
      ...request,
      // It gives up before we do, with an answer that says so.
      settings: { receive_timeout: Math.ceil((fetchMs * 0.8) / SECOND_MS) },
      timeoutMs: fetchMs,
      ...(question.signal === undefined ? {} : { signal: question.signal }),
    },
  );
  const fetched = host;
  for (let tries = 0; tries < SAME_REPLICA_TRIES; tries += 1) {
    const answer = await ask(request);
    if (host === fetched || isSure(answer)) return answer;
  }
  throw new ColdpathError(
    "DEADLINE",
    `${at} leads each request to another replica, so what it says of ${table.name} cannot be believed; ` +
      "name the replicas themselves in clickhouse.url",
  );
}
