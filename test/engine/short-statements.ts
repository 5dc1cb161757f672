import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { ask, startTestEngine, type TestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

/** An engine whose statements may have half a GiB together. */
export async function startSmallEngine(): Promise<TestEngine> {
  return await startTestEngine({ after }, { memory: 512 * MIB });
}

/** MiB of memory of the engine's process. */
function resident({ engine }: TestEngine): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))![1]) / 1024;
}

/** As dashboards send them, a mistyped one among them. */
async function shortStatements({ engine, clickhouse }: TestEngine, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    assert.equal(await clickhouse.text("SELECT 1"), "1\n");
    const search = { max_threads: "1", query_id: `short-${round}` };
    assert.equal((await ask(engine, { body: "SELECT 1", search, asOwner: false })).text, "1\n");
    assert.equal((await ask(engine, { body: "SELECT nothing", asOwner: false })).status, 404);
  }
}

/** Three statements in each round, for which memory may grow by so many MiB. */
export function testShortStatements(small: TestEngine, rounds: number, most: number): void {
  const { clickhouse } = small;
  test("many short statements beside a long one do not use up the memory limit, nor memory", async (t) => {
    const end = new AbortController();
    const sql = "SELECT sleepEachRow(1) FROM numbers(6000) SETTINGS max_block_size = 1 FORMAT Null";
    const long = clickhouse.text(sql, { signal: end.signal, timeoutMs: 6_000_000 }).catch(() => {});
    const isRunning = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(1)%'";
    await until("the long one", async () => (await clickhouse.text(isRunning)) === "2\n");
    await shortStatements(small, 50);
    const before = resident(small);
    await shortStatements(small, rounds);
    const grown = resident(small) - before;
    t.diagnostic(`grown by ${grown.toFixed(1)} MiB`);
    assert.ok(grown < most, `${grown} MiB more`);
    assert.equal(await clickhouse.text(isRunning), "2\n");
    end.abort();
    await long;
  });
}
