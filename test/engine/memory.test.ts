import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startTestEngine } from "../support/engine.js";

const { clickhouse } = await startTestEngine({ after }, { memory: 512 * 2 ** 20 });

test("all statements together keep to the memory limit", async () => {
  await assert.rejects(clickhouse.text("SELECT length(groupArray(number)) FROM numbers(200000000)"), {
    clickhouseCode: 241,
    message: /\(total\) memory limit exceeded/,
  });
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});

test("many short statements beside a long one do not use up the memory limit", async () => {
  const end = new AbortController();
  const sql = "SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1 FORMAT Null";
  const long = clickhouse.text(sql, { signal: end.signal, timeoutMs: 600_000 }).catch(() => {});
  const isRunning = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(1)%'";
  while ((await clickhouse.text(isRunning)) !== "2\n") await delay(5);
  for (let round = 0; round < 400; round++) assert.equal(await clickhouse.text("SELECT 1"), "1\n");
  assert.equal(await clickhouse.text(isRunning), "2\n");
  end.abort();
  await long;
});
