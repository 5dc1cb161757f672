import assert from "node:assert/strict";
import { request as sendRequest } from "node:http";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { GIB, KIB, MIB } from "../../src/base/units.js";
import { loadConfig } from "../../src/config/load.js";
import { DEFAULT_LIMITS, type EngineLimits } from "../../src/engine/limits.js";
import { engineOptions } from "../../src/service/open.js";
import { type Answer, ask, startTestEngine } from "../support/engine.js";

const limits: EngineLimits = {
  queryMemory: 100 * MIB,
  statement: 20 * KIB,
  incoming: 8 * MIB,
  reader: { enabled: true, maxTimeMs: 1500, maxResult: 3 * MIB },
};
const { engine, clickhouse } = await startTestEngine({ after }, { limits });
await clickhouse.command("CREATE TABLE filled (s String) ENGINE = MergeTree ORDER BY tuple()");

function codeOf(answer: Answer): string | undefined {
  return answer.headers["x-clickhouse-exception-code"];
}

test("one statement keeps to the memory limit, and may only say less", async () => {
  const sql = "SELECT length(groupArray(number)) FROM numbers(30000000)";
  for (const settings of ["", " SETTINGS max_memory_usage = 50000000"]) {
    const answer = await ask(engine, { body: sql + settings });
    assert.equal(codeOf(answer), "241", answer.text);
    assert.ok(!answer.text.includes("(total)"), answer.text);
  }
  for (const value of ["0", "1000000000000"]) {
    const inside = await ask(engine, { body: `${sql} SETTINGS max_memory_usage = ${value}` });
    assert.ok(["452", "241"].includes(codeOf(inside) ?? ""), inside.text);
    const subquery = `SELECT * FROM (${sql} SETTINGS max_memory_usage = ${value})`;
    assert.ok(["452", "241"].includes(codeOf(await ask(engine, { body: subquery })) ?? ""));
    const reset = await ask(engine, { body: `${sql} SETTINGS max_memory_usage = DEFAULT` });
    assert.equal(codeOf(reset), "452");
    const inUrl = await ask(engine, { body: sql, search: { max_memory_usage: value } });
    assert.equal(codeOf(inUrl), "452", inUrl.text);
    const profile = await ask(engine, {
      body: `${sql} SETTINGS profile = 'default', max_memory_usage = ${value}`,
    });
    assert.ok(["452", "241"].includes(codeOf(profile) ?? ""), profile.text);
  }
});

test("without the password a statement ends in time, whatever its settings; with it, it goes on", async () => {
  const slow =
    "SELECT sleepEachRow(0.1) FROM numbers(25) SETTINGS max_block_size = 1, max_execution_time = 0 FORMAT Null";
  for (const search of [{}, { wait_end_of_query: "1" }, { max_execution_time: "1000" }]) {
    const answer = await ask(engine, { body: slow, search, asOwner: false });
    assert.deepEqual([answer.status, codeOf(answer)], [408, "159"], answer.text);
    assert.match(answer.text, /1\.5 seconds \(engine\.reader\.max_time\)/);
  }
  assert.equal((await ask(engine, { body: slow })).status, 200);
});

test("without the password a statement's own time limit counts when it is stricter", async () => {
  const body =
    "SELECT sleepEachRow(0.05) FROM numbers(5) SETTINGS max_block_size = 1, max_execution_time = 0.05 FORMAT Null";
  const answer = await ask(engine, { body, asOwner: false });
  assert.equal(codeOf(answer), "159");
  assert.ok(!answer.text.includes("engine.reader"), answer.text);
});

test("without the password a result has its size, whatever the settings; with it, any", async () => {
  const body = "SELECT repeat('x', 1000) FROM numbers(6000) SETTINGS max_result_bytes = 0";
  const whole = await ask(engine, { body, search: { wait_end_of_query: "1" }, asOwner: false });
  assert.deepEqual([whole.status, codeOf(whole)], [500, "396"], whole.text.slice(0, 300));
  assert.match(whole.text, /3MiB \(engine\.reader\.max_result\)/);
  const streamed = await ask(engine, { body, asOwner: false });
  assert.match(
    streamed.text.slice(-400),
    /__exception__\r\n\w+\r\nCode: 396\. DB::Exception: Limit for result/,
  );
  assert.ok(streamed.text.length < 4 * MIB);
  assert.equal((await ask(engine, { body })).text.length, 6000 * 1001);
  const small = await ask(engine, { body: "SELECT repeat('x', 1000) FROM numbers(2000)", asOwner: false });
  assert.equal(small.text.length, 2000 * 1001);
});

test("what stops one statement leaves the next one alone", async () => {
  const body = "SELECT repeat('x', 1000) FROM numbers(6000)";
  for (let round = 0; round < 30; round++) {
    const stopped = await ask(engine, { body, search: { wait_end_of_query: "1" }, asOwner: false });
    assert.equal(codeOf(stopped), "396");
    const next = await ask(engine, { body: "SELECT sum(number) FROM numbers(3000000)", asOwner: false });
    assert.equal(next.status, 200, next.text);
  }
});

test("a statement has its size, the data of an INSERT has not", async () => {
  const long = `SELECT length('${"x".repeat(30 * KIB)}')`;
  const answer = await ask(engine, { body: long });
  assert.equal(codeOf(answer), "62");
  assert.match(answer.text, /longer than 20480 bytes \(engine\.max_statement\)/);
  const data = `INSERT INTO filled FORMAT TSV\n${"x\n".repeat(30 * KIB)}`;
  assert.equal((await ask(engine, { body: data })).status, 200);
});

test("uploads that stand still leave room for small inserts, and their share comes back", async (t) => {
  const { hostname: host, port } = new URL(engine.url);
  const uploads = Array.from({ length: 3 }, () => {
    const path = `/?${new URLSearchParams({ query: "INSERT INTO filled FORMAT TSV" })}`;
    const headers = { "x-clickhouse-key": engine.password };
    const upload = sendRequest({ host, port, path, method: "POST", headers });
    upload.on("error", () => {});
    return upload;
  });
  t.after(() => {
    for (const upload of uploads) upload.destroy();
  });
  // 3 of 8 MiB, then 2 of the 5 that are left, then 1 of 3: each is less than what is free then.
  for (const [index, size] of [3, 2, 1].entries()) uploads[index]!.write(Buffer.alloc(size * MIB, "x"));
  const insert = (bytes: number): Promise<Answer> =>
    ask(engine, { search: { query: "INSERT INTO filled FORMAT RawBLOB" }, body: Buffer.alloc(bytes, "x") });
  // Refused once the uploads have arrived; before that it may fit.
  const deadline = performance.now() + 60_000;
  let large = await insert(3 * MIB);
  while (large.status === 200 && performance.now() < deadline) {
    await delay(5);
    large = await insert(3 * MIB);
  }
  assert.deepEqual([large.status, codeOf(large)], [500, "243"], large.text);
  assert.match(large.text, /8MiB together \(engine\.incoming\)/);
  for (let round = 0; round < 20; round++) assert.equal((await insert(500_000)).status, 200);
  for (const upload of uploads) upload.destroy();
  await Promise.all(
    uploads.map((upload) => upload.closed || new Promise((resolve) => upload.once("close", resolve))),
  );
  do {
    assert.ok(performance.now() < deadline, large.text);
    await delay(5);
    large = await insert(3 * MIB);
  } while (large.status !== 200);
});

test("configuration can forbid reading without the password", async (t) => {
  const reader = { ...DEFAULT_LIMITS.reader, enabled: false };
  const { engine: closed } = await startTestEngine(t, { limits: { ...DEFAULT_LIMITS, reader } });
  const answer = await ask(closed, { body: "SELECT 1", asOwner: false });
  assert.deepEqual([answer.status, codeOf(answer)], [401, "194"]);
  assert.equal((await ask(closed, { body: "SELECT 1" })).text, "1\n");
});

test("the defaults of the configuration are those of the engine, and its keys reach it", () => {
  const { config } = loadConfig({ cwd: "/", env: {}, set: [] });
  assert.deepEqual(engineOptions(config).limits, DEFAULT_LIMITS);
  const set = [
    "engine.query_memory=100MiB",
    "engine.max_statement=20KiB",
    "engine.incoming=64MiB",
    "engine.reader.enabled=false",
    "engine.reader.max_time=2s",
    "engine.reader.max_result=3MiB",
  ];
  assert.deepEqual(engineOptions(loadConfig({ cwd: "/", env: {}, set }).config).limits, {
    queryMemory: 100 * MIB,
    statement: 20 * KIB,
    incoming: 64 * MIB,
    reader: { enabled: false, maxTimeMs: 2000, maxResult: 3 * MIB },
  });
});

test("the disk for sorting and grouping is bounded, whatever a statement says", async () => {
  const name = "max_temporary_data_on_disk_size_for_user";
  const get = `SELECT getSetting('${name}')`;
  assert.equal((await ask(engine, { body: get, asOwner: false })).text, `${8 * GIB}\n`);
  for (const value of ["0", "DEFAULT"]) {
    for (const asOwner of [false, true]) {
      const answer = await ask(engine, { body: `${get} SETTINGS ${name} = ${value}`, asOwner });
      assert.equal(codeOf(answer), "452", answer.text);
    }
  }
});
