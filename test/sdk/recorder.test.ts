import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { BroadcastChannel, Worker } from "node:worker_threads";
import { MIB, MINUTE_MS } from "../../src/base/units.js";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { loadConfig } from "../../src/config/load.js";
import type { Config, ConfigInput } from "../../src/config/schema.js";
import { createRecorder, openClickHouse, type RowOf, us } from "../../src/index.js";
import type { TableStats } from "../../src/recorder.js";
import { RecordingClient } from "../../src/sdk/create-recorder.js";
import { PipelineThread } from "../../src/sdk/pipeline-thread.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";

const NOW = Date.now() * 1000;

const shared = await startMigratedEngine({ after });
let recorders = 0;

/** With an engine of the recorder's own. */
async function configIn(t: TestContext): Promise<Config> {
  const data_dir = await temporaryFolder(t);
  return loadConfig({ env: {}, cwd: data_dir, values: { data_dir } }).config;
}

/** A recorder with a name of its own on the engine that these tests share. */
async function sharingConfigIn(t: TestContext, ring: ConfigInput["ring"] = {}): Promise<Config> {
  const data_dir = await temporaryFolder(t);
  recorders += 1;
  const values: ConfigInput = {
    data_dir,
    ring,
    recorder: { id: `r${recorders}` },
    clickhouse: { url: shared.engine.url, database: "coldpath" },
  };
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: shared.engine.password };
  return loadConfig({ env, cwd: data_dir, values }).config;
}

async function startRecorder(t: TestContext, config: Config, entry?: URL): Promise<RecordingClient> {
  const { thread, layouts } = await PipelineThread.start(config, entry);
  const recorder = new RecordingClient(config, thread, layouts);
  t.after(() => recorder.close({ deadline: 0 }));
  return recorder;
}

/** What plain SQL says, asked of the engine that the recorder's worker runs. */
async function ask<T>(config: Config, question: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
  const opened = await openClickHouse(config);
  try {
    return await question(opened.clickhouse);
  } finally {
    await opened.close();
  }
}

function tick(number: number): RowOf<"market_data"> {
  return {
    ts_exchange: us(NOW + number),
    ts_exchange_ns: number % 1000,
    ts_local: us(NOW + number),
    symbol: `S${number % 7}`,
    kind: "quote",
    bid_px1: 100 + number / 4,
    bid_sz1: 3,
    ask_px1: 101,
    ask_sz1: 5,
    exchange_seq: number,
  };
}

function order(number: number): RowOf<"orders"> {
  return {
    ts: us(NOW + number),
    client_order_id: `o-${number}`,
    strategy: "s",
    symbol: "X",
    side: "sell",
    qty: number,
    status: "new",
  };
}

test("rows of the trading thread and of other threads are stored as they were, bad ones are kept apart", async (t) => {
  const config = await configIn(t);
  const recorder = await createRecorder({ config: { data_dir: config.data_dir } });
  t.after(() => recorder.close({ deadline: 0 }));
  const rows = 20_000;
  const ticks = recorder.table("market_data");
  for (let number = 0; number < rows; number += 1) assert.ok(ticks.record(tick(number)));
  // A type error for whoever compiles; for all others a row that is refused.
  const bad = [
    { ...order(1), qty: "much" },
    { ...order(2), ts: Date.now() },
    { ts: us(NOW) },
    { ...order(3), qty: NaN },
  ];
  for (const row of bad) assert.ok(recorder.table("orders").record(row as RowOf<"orders">));
  const thread = new Worker(new URL("./producer-thread.js", import.meta.url), {
    workerData: { handle: recorder.producer(), rows: 3000, startedAt: NOW },
  });
  assert.deepEqual(await once(thread, "message"), [0]);
  await recorder.flush();
  await ask(config, async (clickhouse) => {
    const [stored] = await clickhouse.rows(
      `SELECT count() AS n, uniqExact(exchange_seq) AS seqs, sum(bid_px1) AS px,
              countIf(toUnixTimestamp64Nano(ts_exchange) = (${NOW} + exchange_seq) * 1000 + exchange_seq % 1000) AS times,
              countIf(symbol = 'S' || toString(exchange_seq % 7)) AS symbols, max(seq) - min(seq) + 1 AS span
       FROM market_data`,
    );
    const px = (100 * rows + (rows * (rows - 1)) / 8).toString();
    assert.deepEqual(stored, {
      n: `${rows}`,
      seqs: `${rows}`,
      px,
      times: `${rows}`,
      symbols: `${rows}`,
      span: `${rows}`,
    });
    assert.equal(await clickhouse.text("SELECT count(), sum(qty) FROM orders FORMAT TSV"), "3000\t4498500\n");
  });
  const { tables, rings } = await recorder.stats();
  assert.deepEqual(rings["orders"], { taken: 3004, ring_full: 0, too_large: 0, appended: 0, closed: 0 });
  assert.equal(tables["orders"]!.refused["value_rejected"], 4);
  const closed = await recorder.close();
  assert.equal(closed.tables["market_data"]!.stored, rows);
  assert.equal(recorder.table("orders").record(order(9)), false, "a closed recorder takes no row");
  await assert.rejects(recorder.flush(), { code: "RECORDER_CLOSED" });
});

test("a worker that dies is started again and takes what the ring holds", async (t) => {
  const config = await configIn(t);
  const entry = new URL("./crashing-worker.js", import.meta.url);
  const recorder = await startRecorder(t, config, entry);
  const crash = new BroadcastChannel("coldpath-test-crash");
  t.after(() => crash.close());
  const orders = recorder.table("orders");
  for (let number = 0; number < 1000; number += 1) orders.record(order(number));
  await recorder.flush();
  const down = once(recorder, "pipeline");
  crash.postMessage("die");
  const [state, reason] = await down;
  assert.equal(state, "down");
  assert.match(reason.message, /told to die/);
  for (let number = 1000; number < 2000; number += 1) assert.ok(orders.record(order(number)));
  // Asked of a worker that is not there yet.
  await recorder.flush();
  const stored = await ask(config, (clickhouse) =>
    clickhouse.text("SELECT count(), uniqExact(client_order_id), uniqExact(run) FROM orders FORMAT TSV"),
  );
  assert.equal(stored, "2000\t2000\t2\n");
});

test("rows of a table without a log that die with the worker are counted, told and written down as a gap", async (t) => {
  const config = await sharingConfigIn(t);
  const slow = structuredClone(config);
  slow.tables.market_data.flush.age = MINUTE_MS;
  const entry = new URL("./crashing-worker.js", import.meta.url);
  const recorder = await startRecorder(t, slow, entry);
  const crash = new BroadcastChannel("coldpath-test-crash");
  t.after(() => crash.close());
  for (let number = 0; number < 100; number += 1) recorder.marketData.record(tick(number));
  await recorder.flush("market_data");
  for (let number = 100; number < 700; number += 1) recorder.marketData.record(tick(number));
  await until("the rows in memory", async () => {
    const { tables } = await recorder.stats();
    return tables["market_data"]!.pending.rows === 600;
  });
  const told: unknown[] = [];
  recorder.on("event", (event) => {
    if (event.kind === "rows_lost") told.push(event);
  });
  crash.postMessage("die");
  await once(recorder, "pipeline");
  await recorder.flush();
  assert.deepEqual(told, [{ kind: "rows_lost", table: "market_data", rows: 600 }]);
  const gaps = await ask(config, (clickhouse) =>
    clickhouse.rows(
      `SELECT kind, component, rows, attributes['table'] AS of, attributes['reason'] AS reason,
              (SELECT count() FROM market_data WHERE recorder = '${config.recorder.id}') AS stored
       FROM system_events WHERE recorder = '${config.recorder.id}'`,
    ),
  );
  const gap = {
    kind: "data_gap",
    component: "pipeline",
    rows: "600",
    of: "market_data",
    reason: "pipeline_died",
  };
  assert.deepEqual(gaps, [{ ...gap, stored: "100" }]);
});

test("a recorder that cannot start says why", async (t) => {
  const config = await configIn(t);
  const start = createRecorder({
    config: {
      data_dir: config.data_dir,
      clickhouse: { url: "http://127.0.0.1:1", required_at_start: true },
    },
  });
  await assert.rejects(start, { code: "CLICKHOUSE_UNREACHABLE" });
  await assert.rejects(createRecorder({ config: { ring: { size: "3MiB" } } }), /ring.size.*a power of two/s);
});

test("critical rows that find even the reserve full go to files, also of a process that died, and are stored once", async (t) => {
  const config = await sharingConfigIn(t);
  const entry = new URL("./crashing-worker.js", import.meta.url);
  const tight = { ...config, ring: { size: MIB, critical_reserve: MIB / 2, on_full: "append" } } as const;
  const recorder = await startRecorder(t, tight, entry);
  const orders = recorder.table("orders");
  const left = join(config.data_dir, "overflow", "orders");
  await mkdir(left, { recursive: true });
  // As a process leaves it that was killed while it wrote: its id is free again, the last line is torn.
  const line = JSON.stringify({ ...order(0), ts: `${NOW}000`, client_order_id: "left" });
  await writeFile(
    join(left, `${spawnSync(process.execPath, ["-e", ""]).pid}.dead-1-1.ndjson.open`),
    `${line}\n{"ts`,
  );
  // Without a turn of the event loop in between the worker cannot keep up with a ring so small.
  let rows = 0;
  while (rows < 20_000 || readdirSync(left).length < 2) {
    const more = { side: "SELL" as const, limit_px: 61_830.16 + 0.01, reject_reason: "x".repeat(500) };
    assert.ok(orders.record({ ...order(rows), ...more }));
    rows += 1;
  }
  const before = (await recorder.stats()).rings["orders"]!;
  assert.ok(before.appended > 0 && before.taken > 0, JSON.stringify(before));
  assert.deepEqual([before.taken + before.appended, before.ring_full], [rows, 0]);
  await recorder.close();
  assert.deepEqual(await readdir(left), []);
  const stored = await ask(config, (clickhouse) =>
    clickhouse.text(
      `SELECT count(), uniqExact(client_order_id), sum(qty), countIf(client_order_id = 'left'), countIf(side = 'sell'),
              countIf(client_order_id != 'left' AND toUnixTimestamp64Nano(ts) != (${NOW} + toUInt64(qty)) * 1000),
              countIf(limit_px = 61830.17), (SELECT count() FROM system_events WHERE recorder = '${config.recorder.id}' AND kind = 'data_gap')
       FROM orders WHERE recorder = '${config.recorder.id}' FORMAT TSV`,
    ),
  );
  // 61830.16 + 0.01 has twelve decimals as a double; files and ring round it alike. No gap tells of rows that are in a file.
  assert.equal(
    stored,
    `${rows + 1}\t${rows + 1}\t${(rows * (rows - 1)) / 2}\t1\t${rows + 1}\t0\t${rows}\t0\n`,
  );
});

/** Rows that are stored, or that a busy machine's ladder left out or dropped. */
function throughOf({ stored, deduplicated, sampled, dropped }: TableStats): number {
  return Object.values(dropped).reduce((sum, rows) => sum + rows, stored + deduplicated + sampled);
}

test("flush and close end although rows keep coming", async (t) => {
  const recorder = await startRecorder(t, await sharingConfigIn(t));
  const ticks = recorder.table("market_data");
  let number = 0;
  const feed = setInterval(() => {
    for (let row = 0; row < 100; row += 1) if (ticks.record(tick(number))) number += 1;
  }, 1);
  t.after(() => clearInterval(feed));
  while (number < 5000) await new Promise(setImmediate);
  const before = number;
  await recorder.flush();
  const flushed = throughOf((await recorder.stats()).tables["market_data"]!);
  assert.ok(before > 0 && flushed >= before, `${flushed} of ${before}`);
  const closed = (await recorder.close()).tables["market_data"]!;
  assert.equal(closed.offered, throughOf(closed));
});

test("with on_full: refuse such rows are refused, counted and written down as a gap", async (t) => {
  const ring = { size: "1MiB", critical_reserve: "512KiB", on_full: "refuse" } as const;
  const config = await sharingConfigIn(t, ring);
  const recorder = await startRecorder(t, config);
  let refused = 0;
  const orders = recorder.table("orders");
  let offered = 0;
  for (; offered < 20_000 || refused === 0; offered += 1)
    if (!orders.record({ ...order(offered), reject_reason: "x".repeat(500) })) refused += 1;
  await recorder.flush();
  const [gap] = await ask(config, (clickhouse) =>
    clickhouse.rows<{ n: string }>(
      `SELECT sum(rows) AS n FROM system_events WHERE recorder = '${config.recorder.id}' AND kind = 'data_gap'
         AND attributes['reason'] = 'ring_full' AND attributes['table'] = 'orders'`,
    ),
  );
  assert.equal(gap!.n, String(refused));
  const { rings, tables } = await recorder.stats();
  assert.ok(refused > 0);
  assert.deepEqual(rings["orders"], {
    taken: offered - refused,
    ring_full: refused,
    too_large: 0,
    appended: 0,
    closed: 0,
  });
  assert.equal(tables["orders"]!.stored, offered - refused);
});

test("quotes for which a ring has no room count as dropped: a condition tells of them", async (t) => {
  const config = await sharingConfigIn(t, { size: "1MiB", critical_reserve: "512KiB" });
  const recorder = await startRecorder(t, config);
  const ticks = recorder.table("market_data");
  let refused = 0;
  // Without a turn of the event loop in between the worker cannot keep up with a ring so small.
  for (let number = 0; refused < 10_000; number += 1) if (!ticks.record(tick(number))) refused += 1;
  await until("the condition", async () => {
    const { rings, conditions } = await recorder.stats();
    const share = refused / (rings["market_data"]!.taken + refused);
    const found = conditions.map(({ name, table, value }) => [name, table, value]);
    return isDeepStrictEqual(found, [["drop_rate", "market_data", share]]);
  });
  const { rings, tables } = await recorder.stats();
  assert.deepEqual([tables["market_data"]!.dropped, rings["market_data"]!.ring_full], [{}, refused]);
});
