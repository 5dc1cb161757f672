import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ConfigInput } from "../../src/config/schema.js";
import { createRecorder, type RecordingClient, type RecordingStats, us } from "../../src/index.js";
import type { TestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";

const NOW = Date.now() * 1000;

async function recorderOn(
  t: TestContext,
  config: ConfigInput,
): Promise<TestEngine & { recorder: RecordingClient; folder: string }> {
  const started = await startMigratedEngine(t);
  process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = started.engine.password;
  const folder = await temporaryFolder(t);
  const recorder = await createRecorder({
    config: { ...config, data_dir: folder, clickhouse: { url: started.engine.url, database: "coldpath" } },
  });
  t.after(() => recorder.close({ deadline: 0 }));
  return { ...started, recorder, folder };
}

async function until(
  recorder: RecordingClient,
  condition: (stats: RecordingStats) => boolean,
): Promise<RecordingStats> {
  for (;;) {
    const stats = await recorder.stats();
    if (condition(stats)) return stats;
  }
}

test("while ClickHouse is away quotes wait in the ring until it is half full, orders behind them do not", async (t) => {
  const { engine, clickhouse, recorder } = await recorderOn(t, {
    tables: {
      market_data: { durability: "memory", degrade: [], flush: { rows: 1000 }, queue: { rows: 10_000 } },
    },
    ring: { size: "1MiB", critical_reserve: "256KiB" },
  });
  engine.kill();
  let recorded = 0;
  const quote = (): boolean => {
    recorded += 1;
    return recorder.marketData.record({
      ts_exchange: us(NOW + recorded),
      ts_local: us(NOW + recorded),
      symbol: "X",
      kind: "quote",
      bid_px1: 1,
      exchange_seq: recorded,
    });
  };
  const waiting = ({ rings, tables }: RecordingStats): number =>
    rings["market_data"]!.taken - tables["market_data"]!.offered;
  // As many as the table may hold, then a few that must wait.
  let stats = await recorder.stats();
  while (waiting(stats) === 0 || stats.tables["market_data"]!.pending.rows < 10_000) {
    for (let row = 0; row < 100; row += 1) assert.ok(quote());
    stats = await recorder.stats();
    assert.deepEqual(stats.tables["market_data"]!.dropped, {}, "nothing is dropped while the ring has room");
  }
  for (let order = 0; order < 100; order += 1)
    assert.ok(
      recorder.orders.record({
        ts: us(NOW),
        client_order_id: `o-${order}`,
        strategy: "s",
        symbol: "X",
        side: "buy",
        qty: 1,
        status: "new",
      }),
    );
  stats = await until(recorder, ({ tables }) => tables["orders"]!.accepted === 100);
  assert.ok(waiting(stats) > 0, "they went past quotes that wait");
  // The quotes in front of them wait for ClickHouse; this does not. Until it is through the orders hold the ring's room.
  await recorder.durable();
  for (let batch = 0; batch < 150; batch += 1) {
    for (let row = 0; row < 100; row += 1) assert.ok(quote(), "what is old makes room for what is new");
    // A thread that has not answered may not have had a turn either; the ring has room for some 1,500 more in the 4 ms between two looks.
    await delay(1);
    stats = await recorder.stats();
  }
  assert.ok(stats.tables["market_data"]!.dropped["queue_full"]! > 0);
  await engine.restart();
  await recorder.flush();
  const { accepted, offered, dropped, stored } = (await recorder.stats()).tables["market_data"]!;
  assert.deepEqual([offered, accepted, stored], [recorded, recorded, recorded - dropped["queue_full"]!]);
  const counts = await clickhouse.text(
    `SELECT (SELECT count() FROM market_data), (SELECT max(exchange_seq) FROM market_data),
            (SELECT uniqExact(client_order_id) FROM orders) FORMAT TSV`,
  );
  assert.equal(counts, `${stored}\t${recorded}\t100\n`);
});

test("a recorder that loses ClickHouse while it takes a file of rows closes by its deadline", async (t) => {
  const { engine, recorder, folder } = await recorderOn(t, {
    tables: { orders: { queue: { rows: 4000 } } },
  });
  const overflow = join(folder, "overflow", "orders");
  await mkdir(overflow, { recursive: true });
  const line = (number: number): string =>
    JSON.stringify({
      ts: `${NOW}000`,
      client_order_id: `o-${number}`,
      strategy: "s",
      symbol: "X",
      side: "buy",
      qty: 1,
      status: "new",
    });
  const lines = Array.from({ length: 100_000 }, (_, number) => line(number)).join("\n");
  const name = `${spawnSync(process.execPath, ["-e", ""]).pid}.dead-1-1.ndjson`;
  await writeFile(join(folder, name), lines);
  await rename(join(folder, name), join(overflow, name));
  await until(recorder, ({ tables }) => tables["orders"]!.offered > 0);
  engine.kill();
  const { tables } = await recorder.close({ deadline: 300 });
  const { accepted, stored } = tables["orders"]!;
  assert.ok(accepted < 100_000, "it was in the middle of the file");
  assert.ok(stored <= accepted);
});
