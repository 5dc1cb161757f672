import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { request } from "undici";
import { type Answer, ask, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse, dataDir } = await startTestEngine({ after });
// Each row costs the INSERT a tenth of a second, so that a few rows keep it running.
await clickhouse.command(
  "CREATE TABLE slow (a UInt64, waited UInt8 MATERIALIZED sleepEachRow(0.1)) ENGINE = MergeTree ORDER BY a",
);
await clickhouse.command("CREATE TABLE quick (a UInt64) ENGINE = MergeTree ORDER BY a");

async function isRunning(queryId: string): Promise<boolean> {
  const sql = `SELECT count() FROM system.processes WHERE Settings['log_comment'] = '${queryId}'`;
  return (await clickhouse.text(sql)) !== "0\n";
}

async function count(table: string): Promise<number> {
  return Number(await clickhouse.text(`SELECT count() FROM ${table}`));
}

function rows(from: number, length: number): string {
  return Array.from({ length }, (_, index) => `${from + index}\n`).join("");
}

/** Ten seconds, unless it is killed or its length says otherwise. */
function slowInsert(queryId: string, length = 100): Promise<Answer> {
  return ask(engine, {
    search: {
      query: "INSERT INTO slow FORMAT TSV",
      query_id: queryId,
      function_sleep_max_microseconds_per_block: "100000000",
    },
    body: rows(0, length),
  });
}

function kill(where: string, mode: string): Promise<Answer> {
  return ask(engine, { body: `KILL QUERY WHERE ${where} ${mode} FORMAT JSONEachRow` });
}

function spooled(): number {
  return readdirSync(join(dataDir, "incoming")).length;
}

test("a running INSERT is killed by its query id, and SYNC returns when it is over", async () => {
  const insert = slowInsert("running-1");
  await until("the start", () => isRunning("running-1"));
  const answer = await kill("query_id = 'running-1'", "SYNC");
  const line = JSON.parse(answer.text) as Record<string, string>;
  assert.deepEqual(line, {
    kill_status: "finished",
    query_id: "running-1",
    user: "default",
    query: "INSERT INTO slow FORMAT TSV",
  });
  assert.equal(await isRunning("running-1"), false);
  assert.equal((await insert).headers["x-clickhouse-exception-code"], "394");
  assert.equal(await count("slow"), 0);
});

test("after ASYNC the killed statement is in system.processes until it is over", async () => {
  const insert = slowInsert("running-2");
  await until("the start", () => isRunning("running-2"));
  assert.match(
    (await kill("Settings['log_comment'] = 'running-2'", "ASYNC")).text,
    /"kill_status":"waiting"/,
  );
  await until("the end", async () => !(await isRunning("running-2")));
  assert.equal((await insert).status, 500);
  assert.equal(await count("slow"), 0);
});

test("KILL reaches what waits for a place, which then never starts", async () => {
  const running = [slowInsert("first"), slowInsert("second")];
  await until("both places taken", async () => (await isRunning("first")) && (await isRunning("second")));
  const waiting = ask(engine, {
    search: { query: "INSERT INTO quick FORMAT TSV", query_id: "third" },
    body: rows(0, 5),
  });
  await until("the third body", () => spooled() === 3);
  assert.equal(await isRunning("third"), false);
  assert.match((await kill("query_id = 'third'", "SYNC")).text, /third/);
  assert.equal((await waiting).headers["x-clickhouse-exception-code"], "394");
  await kill("query_id IN ('first', 'second')", "SYNC");
  await Promise.all(running);
  assert.deepEqual([await count("quick"), spooled()], [0, 0]);
});

test("KILL reaches what is still being received, which then never starts", async () => {
  const body = new PassThrough();
  body.write(rows(0, 5));
  const sending = request(
    `${engine.url}/?${new URLSearchParams({ query: "INSERT INTO quick FORMAT TSV", query_id: "receiving" })}`,
    {
      method: "POST",
      headers: { "x-clickhouse-key": engine.password },
      body,
    },
  );
  await until("the first bytes", () => spooled() === 1);
  assert.match((await kill("query_id = 'receiving'", "SYNC")).text, /receiving/);
  const answer = await sending;
  assert.equal(answer.headers["x-clickhouse-exception-code"], "394");
  body.end(rows(5, 5));
  await answer.body.text();
  assert.deepEqual([await count("quick"), spooled()], [0, 0]);
});

test("an INSERT whose client has gone before it started never commits", async () => {
  const running = [slowInsert("one"), slowInsert("two")];
  await until("both places taken", async () => (await isRunning("one")) && (await isRunning("two")));
  const gone = new AbortController();
  const abandoned = request(`${engine.url}/?query=${encodeURIComponent("INSERT INTO quick FORMAT TSV")}`, {
    method: "POST",
    headers: { "x-clickhouse-key": engine.password },
    body: rows(0, 5),
    signal: gone.signal,
  });
  await until("its body", () => spooled() === 3);
  gone.abort();
  await assert.rejects(abandoned);
  await until("its body to go", () => spooled() < 3);
  await kill("query_id IN ('one', 'two')", "SYNC");
  await Promise.all(running);
  // Inserts run in turn: this one would have come after it.
  await ask(engine, { search: { query: "INSERT INTO quick FORMAT TSV" }, body: "100\n" });
  assert.equal(await clickhouse.text("SELECT groupArray(a) FROM quick"), "[100]\n");
  await clickhouse.command("TRUNCATE TABLE quick");
});

test("an INSERT whose client goes while it is sent or runs is cancelled", async () => {
  const before = await count("slow");
  for (const stage of ["receiving", "running"] as const) {
    const body = new PassThrough();
    body.write(rows(1000, 100));
    if (stage === "running") body.end();
    const gone = new AbortController();
    const search = new URLSearchParams({
      query: "INSERT INTO slow FORMAT TSV",
      query_id: `gone-${stage}`,
      function_sleep_max_microseconds_per_block: "100000000",
    });
    const abandoned = request(`${engine.url}/?${search}`, {
      method: "POST",
      headers: { "x-clickhouse-key": engine.password },
      body,
      signal: gone.signal,
    });
    await until(stage, () => (stage === "running" ? isRunning("gone-running") : spooled() === 1));
    gone.abort();
    await assert.rejects(abandoned);
    await until("the end", async () => spooled() === 0 && !(await isRunning(`gone-${stage}`)));
    assert.equal(await count("slow"), before);
  }
});

test("a long INSERT ... SELECT ends by KILL, and when its client has gone", async () => {
  const sql =
    "INSERT INTO quick SELECT number + sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1";
  const killed = ask(engine, { body: sql, search: { query_id: "select-1" } });
  await until("the start", () => isRunning("select-1"));
  assert.match((await kill("query_id = 'select-1'", "SYNC")).text, /select-1/);
  assert.equal((await killed).headers["x-clickhouse-exception-code"], "394");

  const gone = new AbortController();
  const headers = { "x-clickhouse-key": engine.password };
  const url = `${engine.url}/?query_id=select-2`;
  const abandoned = request(url, { method: "POST", headers, body: sql, signal: gone.signal });
  await until("the start", () => isRunning("select-2"));
  gone.abort();
  await assert.rejects(abandoned);
  await until("the end", async () => !(await isRunning("select-2")));
  await clickhouse.command("TRUNCATE TABLE quick");
});

test("KILL ends a query whose client does not read its result", async () => {
  const { body } = await request(`${engine.url}/?query_id=unread`, {
    method: "POST",
    body: "SELECT number FROM numbers(100000000000) FORMAT RowBinary",
  });
  assert.match((await kill("query_id = 'unread'", "SYNC")).text, /unread/);
  assert.equal(await isRunning("unread"), false);
  assert.match((await body.text()).slice(-500), /Code: 394\. .*__exception__/s);
});

test("KILL TEST only tells, and a condition may be anything", async () => {
  const insert = slowInsert("told", 20);
  await until("the start", () => isRunning("told"));
  assert.match(
    (await kill("query_id LIKE 'tol%' AND elapsed >= 0 AND user = currentUser()", "TEST")).text,
    /told/,
  );
  assert.equal((await kill("query_id = 'nobody'", "SYNC")).text, "");
  const wrong = await kill("no_such_column = 1", "SYNC");
  assert.equal(wrong.headers["x-clickhouse-exception-code"], "47");
  assert.equal((await ask(engine, { body: "KILL QUERY WHERE" })).status, 400);
  assert.equal((await insert).status, 200);
});

test("a query id in use is refused until it is free", async () => {
  const insert = slowInsert("used");
  await until("the start", () => isRunning("used"));
  const second = await ask(engine, { body: "SELECT 1", search: { query_id: "used" } });
  assert.equal(second.headers["x-clickhouse-exception-code"], "216");
  await kill("query_id = 'used'", "SYNC");
  await insert;
  assert.equal((await ask(engine, { body: "SELECT 1", search: { query_id: "used" } })).status, 200);
});

test("reads, other writes and a KILL go on beside long INSERTs", async () => {
  const inserts = [slowInsert("long-1"), slowInsert("long-2")];
  await until("both places taken", async () => (await isRunning("long-1")) && (await isRunning("long-2")));
  await Promise.all(Array.from({ length: 20 }, () => clickhouse.text("SELECT count() FROM slow")));
  await clickhouse.command("CREATE TABLE beside (a UInt8) ENGINE = Memory");
  assert.ok((await isRunning("long-1")) && (await isRunning("long-2")));
  await kill("query_id LIKE 'long-%'", "SYNC");
  for (const answer of await Promise.all(inserts))
    assert.equal(answer.headers["x-clickhouse-exception-code"], "394", "they had not ended");
});

test("a killed read never looks whole", async () => {
  const body = "SELECT sleepEachRow(0.02) FROM numbers(1500) SETTINGS max_block_size = 1";
  for (const [round, search] of [{}, {}, { wait_end_of_query: "1" }, {}, {}].entries()) {
    const id = `cut-${round}`;
    const answer = ask(engine, { body, search: { query_id: id, ...search } });
    await until("the start", () => isRunning(id));
    await kill(`query_id = '${id}'`, "ASYNC");
    const { status, headers, text } = await answer;
    assert.deepEqual([status, headers["x-clickhouse-exception-code"]], [500, "394"], text);
  }
});
