import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Engine } from "../../src/engine/engine.js";
import { type EngineContext, startTestEngine } from "../support/engine.js";

type ClientOptions = NonNullable<Parameters<typeof createClient>[0]>;

/** An engine of its own and the official client's ways to it. Everything closes after the test. */
export interface JsClients {
  readonly engine: Engine;
  /** Made with nothing but the address, as a first script would: may read. */
  readonly reader: ClickHouseClient;
  /** Has the generated password. */
  readonly owner: ClickHouseClient;
  /** Another client with the password and these options. */
  readonly connect: (options?: ClientOptions) => ClickHouseClient;
}

/** Starts an engine and connects `@clickhouse/client` to it. */
export async function startJsClients(t: EngineContext): Promise<JsClients> {
  const open: ClickHouseClient[] = [];
  t.after(async () => {
    for (const client of open) await client.close();
  });
  const { engine } = await startTestEngine(t);
  const create = (options: ClientOptions): ClickHouseClient => {
    // It logs each refusal with its stack to the terminal otherwise.
    const client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF }, ...options });
    open.push(client);
    return client;
  };
  const connect = (options: ClientOptions = {}): ClickHouseClient =>
    create({ password: engine.password, ...options });
  return { engine, reader: create({}), owner: connect(), connect };
}

/** The rows of a SELECT as arrays of text, so that no number passes through a double. */
export async function rowsOf(client: ClickHouseClient, query: string): Promise<string[][]> {
  return (await client.query({ query, format: "JSONCompactStringsEachRow" })).json<string[]>();
}

/** Statements that the engine runs whose text has this word, beside the one that asks. */
export async function running(client: ClickHouseClient, word: string): Promise<number> {
  const query =
    "SELECT count() FROM system.processes WHERE position(query, {word:String}) > 0 AND query NOT LIKE '%system.processes%'";
  const rows = await client.query({ query, query_params: { word }, format: "JSONCompactEachRow" });
  return Number((await rows.json<[number]>())[0]![0]);
}
