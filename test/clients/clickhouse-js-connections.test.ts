import assert from "node:assert/strict";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { until } from "../support/until.js";
import { rowsOf, running, startJsClients } from "./js-clients.js";

const { engine, reader, owner, connect } = await startJsClients({ after });

test("ping says whether the engine is there, and with a query whether it lets us in", async () => {
  assert.deepEqual(await reader.ping(), { success: true });
  assert.deepEqual(await reader.ping({ select: true }), { success: true });
  const stranger = connect({ password: "wrong" });
  assert.deepEqual(await stranger.ping(), { success: true });
  const refused = await stranger.ping({ select: true });
  assert.equal(refused.success, false);
  assert.equal((refused as { error: { code?: string } }).error.code, "516");
  const nobody = connect({ url: "http://127.0.0.1:1" });
  assert.equal((await nobody.ping()).success, false);
});

test("a query id given or made comes back and is what KILL QUERY knows", async () => {
  const made = await reader.query({ query: "SELECT 1" });
  assert.match(made.query_id, /^[\da-f-]{36}$/);
  assert.equal(made.response_headers["x-clickhouse-query-id"], made.query_id);
  await made.text();
  const query_id = "my query №1";
  const victim = assert.rejects(
    reader.query({
      query: "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",
      query_id,
    }),
  );
  await until("the start", async () => (await running(owner, "sipHash64")) === 1);
  await owner.command({
    query: "KILL QUERY WHERE query_id = {id:String} SYNC",
    query_params: { id: query_id },
  });
  await victim;
  await until("the end", async () => (await running(owner, "sipHash64")) === 0);
});

test("the answer's headers say what a server's say", async () => {
  const answer = await reader.query({ query: "SELECT 1", format: "JSONEachRow" });
  const { response_headers: headers } = answer;
  assert.equal(headers["content-type"], "application/x-ndjson; charset=UTF-8");
  assert.equal(headers["x-clickhouse-format"], "JSONEachRow");
  assert.match(String(headers["x-clickhouse-server-display-name"]), /^coldpath-embedded-/);
  assert.ok("x-clickhouse-summary" in headers);
  await answer.text();
});

test("the summary of an insert and of a command counts what was written", async () => {
  const made = await owner.command({
    query: "CREATE TABLE counted (id UInt64) ENGINE = MergeTree ORDER BY id",
  });
  assert.equal(made.summary?.written_rows, "0");
  const values = [{ id: 1 }, { id: 2 }, { id: 3 }];
  const inserted = await owner.insert({ table: "counted", values, format: "JSONEachRow" });
  assert.equal(inserted.summary?.written_rows, "3");
  assert.ok(Number(inserted.summary?.elapsed_ns) > 0);
});

test("an error has the code and type of ClickHouse", async () => {
  const cases: readonly (readonly [query: string, code: string, type: string])[] = [
    ["selec 1", "62", "SYNTAX_ERROR"],
    ["SELECT 1; SELECT 2", "62", "SYNTAX_ERROR"],
    ["SELECT nope", "47", "UNKNOWN_IDENTIFIER"],
    ["SELECT * FROM nope", "60", "UNKNOWN_TABLE"],
    ["SELECT * FROM nope.nope", "81", "UNKNOWN_DATABASE"],
    ["SELECT nope(1)", "46", "UNKNOWN_FUNCTION"],
    ["SELECT toUInt8('x')", "6", "CANNOT_PARSE_TEXT"],
    ["SELECT intDiv(1, 0)", "153", "ILLEGAL_DIVISION"],
    ["SELECT {p:UInt8}", "456", "UNKNOWN_QUERY_PARAMETER"],
    ["SELECT 1 SETTINGS max_threads = 'many'", "27", "CANNOT_PARSE_INPUT_ASSERTION_FAILED"],
    ["SELECT throwIf(1)", "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"],
    ["SELECT sleep(3) SETTINGS max_execution_time = 0.05", "159", "TIMEOUT_EXCEEDED"],
    [
      "SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000",
      "241",
      "MEMORY_LIMIT_EXCEEDED",
    ],
    ["SELECT number FROM numbers(100) SETTINGS max_result_rows = 10", "396", "TOO_MANY_ROWS_OR_BYTES"],
    ["SELECT * FROM url('http://127.0.0.1/', CSV, 'a UInt8')", "497", "ACCESS_DENIED"],
    ["SELECT * FROM file('/etc/passwd')", "497", "ACCESS_DENIED"],
    ["SELECT 1 INTO OUTFILE 'x'", "358", "INTO_OUTFILE_NOT_ALLOWED"],
  ];
  for (const [query, code, type] of cases) {
    for (const client of [reader, owner]) {
      await assert.rejects(client.query({ query }), { code, type }, query);
    }
  }
  await assert.rejects(owner.query({ query: "SELECT 1", format: "Nope" as "JSON" }), { code: "73" });
  await assert.rejects(connect({ database: "nope" }).query({ query: "SELECT 1" }), { code: "81" });
});

test("an error in mid-stream ends the stream with code and type, after the rows before it", async () => {
  const query =
    "SELECT number, throwIf(number = 400000, 'half way') FROM numbers(1000000) SETTINGS max_block_size = 1000";
  const answer = await reader.query({ query, format: "JSONCompactEachRow" });
  let rows = 0;
  await assert.rejects(
    async () => {
      for await (const batch of answer.stream()) rows += batch.length;
    },
    { code: "395", type: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", message: /half way/ },
  );
  assert.ok(rows > 10_000 && rows <= 400_000, `${rows} rows`);
  const settings = { clickhouse_settings: { wait_end_of_query: 1 as const } };
  await assert.rejects(reader.query({ query, format: "CSV", ...settings }), { code: "395" });
});

test("hundreds of queries at once each get their own answer", async () => {
  for (const max_open_connections of [3, 64]) {
    const client = connect({ max_open_connections });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const query = `SELECT ${n} AS n, sum(number) AS s FROM numbers({n:UInt32})`;
        const answer = await client.query({ query, query_params: { n }, format: "JSONCompactEachRow" });
        return (await answer.json())[0];
      }),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 200 }, (_, n) => [n, (n * n - n) / 2]),
    );
  }
});

test("one kept connection serves queries, errors, commands and inserts one after the other", async () => {
  const agent = new CountingAgent({ keepAlive: true, maxSockets: 1 });
  const client = connect({ http_agent: agent });
  await client.command({ query: "CREATE TABLE kept (id UInt64) ENGINE = Memory" });
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await rowsOf(client, "SELECT 1"), [["1"]]);
    await assert.rejects(client.query({ query: "SELECT nope" }), { code: "47" });
    await client.insert({ table: "kept", values: [{ id: round }], format: "JSONEachRow" });
    const { stream } = await client.exec({ query: "SELECT number FROM numbers(100000) FORMAT RowBinary" });
    await stream.toArray();
    assert.equal((await client.ping()).success, true);
  }
  assert.equal(agent.made.length, 1);
  const answer = await client.query({ query: "SELECT 1" });
  await answer.text();
  const timeout = /timeout=(\d+)/.exec(String(answer.response_headers["keep-alive"]))?.[1];
  assert.ok(Number(timeout) >= 3, "longer than the 2.5 s for which the client keeps an idle socket");
});

test("a connection that the engine closed while idle is replaced unseen", async () => {
  const agent = new CountingAgent({ keepAlive: true, maxSockets: 1 });
  const client = connect({ http_agent: agent });
  assert.deepEqual(await rowsOf(client, "SELECT 1"), [["1"]]);
  agent.made[0]!.destroy();
  assert.deepEqual(await rowsOf(client, "SELECT 2"), [["2"]]);
  assert.equal(agent.made.length, 2);
  const single = connect({ keep_alive: { enabled: false } });
  for (const value of ["1", "2"]) assert.deepEqual(await rowsOf(single, `SELECT ${value}`), [[value]]);
});

test("the password goes by basic authentication, by headers, in the URL, or for one query", async () => {
  const create = "CREATE OR REPLACE TABLE let_in (a UInt8) ENGINE = Memory";
  const { host } = new URL(engine.url);
  const ways = [
    connect({
      set_basic_auth_header: false,
      http_headers: { "X-ClickHouse-User": "default", "X-ClickHouse-Key": engine.password },
    }),
    connect({ url: `http://default:${engine.password}@${host}/default` }),
  ];
  for (const client of ways) await client.command({ query: create });
  await reader.command({ query: create, auth: { username: "default", password: engine.password } });
  await assert.rejects(connect({ username: "somebody" }).command({ query: create }), {
    code: "516",
    type: "AUTHENTICATION_FAILED",
  });
});

test("the database of the client is that of its statements", async () => {
  await owner.command({ query: "CREATE DATABASE mine" });
  const mine = connect({ database: "mine" });
  await mine.command({ query: "CREATE TABLE here (a UInt8) ENGINE = Memory" });
  await mine.insert({ table: "here", values: [{ a: 1 }], format: "JSONEachRow" });
  assert.deepEqual(await rowsOf(mine, "SELECT a, currentDatabase() FROM here"), [["1", "mine"]]);
  assert.deepEqual(await rowsOf(reader, "SELECT a FROM mine.here"), [["1"]]);
});

test("a session keeps its temporary tables and settings, and serves one request at a time", async () => {
  const client = connect({ session_id: "mine" });
  await client.command({ query: "CREATE TEMPORARY TABLE picked (id UInt32)" });
  await client.insert({ table: "picked", values: [{ id: 7 }], format: "JSONEachRow" });
  await client.command({ query: "SET max_block_size = 77" });
  const query = "SELECT id, getSetting('max_block_size') FROM picked";
  assert.deepEqual(await rowsOf(client, query), [["7", "77"]]);
  await assert.rejects(owner.query({ query }), { code: "60" });
  await assert.rejects(owner.query({ query, session_id: "other" }), { code: "60" });
  await owner.command({ query: "DROP TABLE picked", session_id: "mine" });
  const slow = client.query({
    query: "SELECT sleepEachRow(1), 'slow' FROM numbers(60) SETTINGS max_block_size = 1",
    query_id: "slow",
  });
  const stopped = assert.rejects(slow, { code: "394", type: "QUERY_WAS_CANCELLED" });
  await until("the start", async () => (await running(owner, "'slow'")) === 1);
  await assert.rejects(client.query({ query: "SELECT 1" }), { code: "373", type: "SESSION_IS_LOCKED" });
  await owner.command({ query: "KILL QUERY WHERE query_id = 'slow' SYNC" });
  await stopped;
});

test("a closed client has left no connection at the engine", async () => {
  const agent = new CountingAgent({ keepAlive: true });
  const client = connect({ http_agent: agent });
  await Promise.all([rowsOf(client, "SELECT 1"), rowsOf(client, "SELECT 2")]);
  await client.close();
  assert.ok(agent.made.length > 0 && agent.made.every((socket) => socket.destroyed));
  await client.close();
});

/** Tells how many connections were made. */
class CountingAgent extends Agent {
  readonly made: Socket[] = [];

  override createConnection(
    ...args: Parameters<Agent["createConnection"]>
  ): ReturnType<Agent["createConnection"]> {
    const socket = super.createConnection(...args);
    this.made.push(socket as Socket);
    return socket;
  }
}
