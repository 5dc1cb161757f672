import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { after, test } from "node:test";
import { type Answer, ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse } = await startTestEngine({ after });
await clickhouse.command("CREATE TABLE rows (a UInt64) ENGINE = MergeTree ORDER BY a");

function figuresOf(answer: Answer, header = "summary"): Record<string, number> {
  const texts = JSON.parse(answer.headers[`x-clickhouse-${header}`]!) as Record<string, string>;
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));
}

test("HEAD answers as GET does, without the body, and is read-only too", async () => {
  const search = { query: "SELECT 1 FORMAT JSON" };
  const head = await ask(engine, { method: "HEAD", search });
  assert.deepEqual([head.status, head.text, head.headers["x-clickhouse-format"]], [200, "", "JSON"]);
  assert.equal((await ask(engine, { method: "HEAD", path: "/ping" })).status, 200);
  const write = await ask(engine, { method: "HEAD", search: { query: "DROP TABLE rows" } });
  assert.deepEqual([write.status, write.headers["x-clickhouse-exception-code"]], [500, "164"]);
  const large = await ask(engine, { method: "HEAD", search: { query: "SELECT * FROM numbers(1000000)" } });
  assert.deepEqual([large.status, large.text], [200, ""]);
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});

test("OPTIONS names the methods and gives no other origin leave", async () => {
  const answer = await ask(engine, { method: "OPTIONS", asOwner: false });
  assert.deepEqual(
    [answer.status, answer.text, answer.headers["allow"]],
    [204, "", "OPTIONS, HEAD, GET, POST"],
  );
  assert.deepEqual(
    Object.keys(answer.headers).filter((name) => name.startsWith("access-control")),
    [],
  );
  const headers = { origin: "https://example.com", "access-control-request-method": "POST" };
  assert.equal((await ask(engine, { method: "OPTIONS", headers, asOwner: false })).status, 403);
});

test("a connection is kept for ten seconds, says its header, and serves on after an exception", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const post = (sql: string): Promise<{ status: number; keepAlive: string | undefined; port: number }> =>
    new Promise((resolve, reject) => {
      const out = httpRequest(engine.url, { method: "POST", agent }, (answer) => {
        const port = out.socket!.localPort!;
        const keepAlive = answer.headers["keep-alive"] as string | undefined;
        answer.resume().on("end", () => resolve({ status: answer.statusCode!, keepAlive, port }));
      });
      out.on("error", reject);
      out.end(sql);
    });
  const answers = [
    await post("SELECT 1"),
    await post("SELEC"),
    await post("SELECT throwIf(1)"),
    await post("SELECT 1"),
  ];
  agent.destroy();
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 400, 500, 200],
  );
  assert.deepEqual(new Set(answers.map(({ port }) => port)).size, 1);
  for (const { keepAlive } of answers) assert.equal(keepAlive, "timeout=10");
});

test("the summary tells what came out, what went in and how long it took", async () => {
  for (const search of [{}, { wait_end_of_query: "1" }]) {
    const read = figuresOf(await ask(engine, { body: "SELECT sleep(0.01), number FROM numbers(3)", search }));
    assert.deepEqual([read["result_rows"], read["written_rows"], read["read_rows"]], [3, 0, 0]);
    assert.ok(read["elapsed_ns"]! > 10_000_000);
  }
  const insert = figuresOf(await ask(engine, { body: "INSERT INTO rows FORMAT TSV\n1\n2\n" }));
  assert.deepEqual([insert["read_rows"], insert["written_rows"], insert["written_bytes"]], [2, 2, 16]);
  const select = "INSERT INTO rows SELECT a FROM input('a UInt64') WHERE a > 1 FORMAT TSV\n1\n2\n";
  const computed = figuresOf(await ask(engine, { body: select }));
  assert.equal(computed["written_rows"], 0, "not known");
  const large = await ask(engine, { body: "SELECT * FROM numbers(1000000)" });
  assert.equal(figuresOf(large)["result_rows"], 0, "not known when the head is sent");
});

test("an exception and a refusal name the query, too", async () => {
  for (const body of ["SELEC 1", "SELECT throwIf(1)", "SELECT 1; SELECT 2"]) {
    const answer = await ask(engine, { body, search: { query_id: `failed ${body}` } });
    assert.equal(answer.headers["x-clickhouse-query-id"], `failed ${body}`);
    assert.ok(answer.status >= 400);
  }
});

test("progress in the head of an answer are figures of the running statement", async () => {
  const search = { send_progress_in_http_headers: "1", wait_end_of_query: "1" };
  const body = "SELECT sum(sleepEachRow(0.00001)) FROM numbers(100000) SETTINGS max_block_size = 2000";
  const answer = await ask(engine, { body, search });
  assert.equal(answer.status, 200, answer.text);
  const progress = figuresOf(answer, "progress");
  assert.ok(progress["read_rows"]! > 0 && progress["read_rows"]! <= 100_000, JSON.stringify(progress));
  assert.equal(progress["read_bytes"], progress["read_rows"]! * 8);
  assert.ok(progress["elapsed_ns"]! > 0);
  assert.equal(figuresOf(answer)["read_rows"], progress["read_rows"]);
  const unasked = await ask(engine, { body, search: { wait_end_of_query: "1" } });
  assert.equal(unasked.headers["x-clickhouse-progress"], undefined);
});

test("statements without rows, and those that only tell, answer in the default format", async () => {
  const search = { default_format: "JSONEachRow" };
  const texts = {
    "EXPLAIN SELECT 1": /^\{"explain":/,
    "SHOW TABLES": /^\{"name":"rows"\}\n$/,
    "DESCRIBE rows": /^\{"name":"a","type":"UInt64"/,
    "EXISTS rows": /^\{"result":1\}\n$/,
    "SHOW CREATE TABLE rows": /^\{"statement":"CREATE TABLE/,
    "CREATE TABLE IF NOT EXISTS rows (a UInt64) ENGINE = Memory": /^$/,
    "SELECT 1 FORMAT Null": /^$/,
    "SELECT a FROM rows WHERE 0": /^$/,
  };
  for (const [body, expected] of Object.entries(texts)) {
    const { status, text, headers } = await ask(engine, { body, search });
    assert.equal(status, 200, text);
    assert.match(text, expected, body);
    assert.equal(headers["x-clickhouse-format"], body.endsWith("Null") ? "Null" : "JSONEachRow");
  }
});
