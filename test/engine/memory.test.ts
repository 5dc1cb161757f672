import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse } = await startTestEngine({ after }, { memory: 512 * 2 ** 20 });

test("all statements together keep to the memory limit", async () => {
  await assert.rejects(clickhouse.text("SELECT length(groupArray(number)) FROM numbers(200000000)"), {
    clickhouseCode: 241,
    message: /\(total\) memory limit exceeded/,
  });
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});

/** MiB of memory of the engine's process. */
function resident(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))![1]) / 1024;
}

/** As dashboards send them, a mistyped one among them. */
async function shortStatements(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    assert.equal(await clickhouse.text("SELECT 1"), "1\n");
    const search = { max_threads: "1", query_id: `short-${round}` };
    assert.equal((await ask(engine, { body: "SELECT 1", search, asOwner: false })).text, "1\n");
    assert.equal((await ask(engine, { body: "SELECT nothing", asOwner: false })).status, 404);
  }
}

test("many short statements beside a long one do not use up the memory limit, nor memory", async () => {
  const end = new AbortController();
  const sql = "SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1 FORMAT Null";
  const long = clickhouse.text(sql, { signal: end.signal, timeoutMs: 600_000 }).catch(() => {});
  const isRunning = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(1)%'";
  while ((await clickhouse.text(isRunning)) !== "2\n") await delay(5);
  await shortStatements(50);
  const before = resident();
  await shortStatements(250);
  const grown = resident() - before;
  assert.ok(grown < 60, `${grown} MiB more`);
  assert.equal(await clickhouse.text(isRunning), "2\n");
  end.abort();
  await long;
});
