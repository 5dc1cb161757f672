import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { BroadcastChannel, Worker } from "node:worker_threads";
import { Registry } from "prom-client";
import { SECOND_MS } from "../../src/base/units.js";
import { loadConfig } from "../../src/config/load.js";
import type { ConfigInput } from "../../src/config/schema.js";
import { attachProducer, createRecorder, type RecorderEvent, type RowOf, us } from "../../src/index.js";
import { HEAD_WORD, RingMemory } from "../../src/ring/memory.js";
import { RecordingClient } from "../../src/sdk/create-recorder.js";
import { PipelineThread } from "../../src/sdk/pipeline-thread.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { readPrometheusText } from "../support/prometheus-text.js";
import { until } from "../support/until.js";

const { engine } = await startMigratedEngine({ after });
let recorders = 0;

const MORTAL = new URL("./crashing-worker.js", import.meta.url);

async function open(t: TestContext, entry: URL, tables: ConfigInput["tables"] = {}) {
  const data_dir = await temporaryFolder(t);
  recorders += 1;
  const { config } = loadConfig({
    env: { COLDPATH_CLICKHOUSE_PASSWORD: engine.password },
    cwd: data_dir,
    values: {
      data_dir,
      tables,
      recorder: { id: `r${recorders}` },
      clickhouse: { url: engine.url, database: "coldpath" },
    },
  });
  const { thread, layouts } = await PipelineThread.start(config, entry);
  const recorder = new RecordingClient(config, thread, layouts);
  t.after(() => recorder.close({ deadline: 0 }).catch(() => {}));
  const channel = new BroadcastChannel("coldpath-test-crash");
  t.after(() => channel.close());
  return { data_dir, recorder, crash: () => channel.postMessage("die") };
}

/** The first event of that kind. */
async function eventOf<K extends RecorderEvent["kind"]>(
  recorder: RecordingClient,
  kind: K,
): Promise<RecorderEvent & { kind: K }> {
  for (;;) {
    const [event] = (await once(recorder, "event")) as [RecorderEvent];
    if (event.kind === kind) return event as RecorderEvent & { kind: K };
  }
}

const ORDER: RowOf<"orders"> = {
  ts: us(Date.now() * 1000),
  client_order_id: "o",
  strategy: "s",
  symbol: "X",
  side: "sell",
  qty: 1,
  status: "new",
};

const QUOTE: RowOf<"market_data"> = { symbol: "X", kind: "quote", bid_px1: 1 };

test("what does not belong in the overflow folder is told, and keeps no row from being stored", async (t) => {
  const { data_dir, recorder } = await open(t, MORTAL);
  const stray = join(data_dir, "overflow", "stray");
  const told = eventOf(recorder, "overflow_failed");
  await mkdir(join(data_dir, "overflow", "no_such_table"), { recursive: true });
  await writeFile(stray, "x");
  await writeFile(join(data_dir, "overflow", "no_such_table", "x.ndjson"), "{}\n");
  recorder.orders.record(ORDER);
  await recorder.flush();
  assert.match((await told).path, /stray|no_such_table/);
  const closed = await recorder.close({ deadline: Infinity });
  assert.equal(closed.tables["orders"]!.stored, 1);
  assert.throws(() => recorder.producer(), { code: "RECORDER_CLOSED" });
});

test("close ends by its deadline although the pipeline cannot be started again", async (t) => {
  const { recorder, crash } = await open(t, new URL("./one-start-worker.js", import.meta.url));
  const down = once(recorder, "pipeline");
  crash();
  await down;
  const since = performance.now();
  await assert.rejects(recorder.close({ deadline: 100 }), { code: "RECORDER_CLOSED" });
  assert.ok(performance.now() - since < 10 * SECOND_MS);
});

test("rows that die with the pipeline's thread are told once, also when the next one dies before it has taken a row", async (t) => {
  const { recorder, crash } = await open(t, MORTAL, { market_data: { flush: { age: "1m" } } });
  const lost: number[] = [];
  recorder.on("event", (event) => {
    if (event.kind === "rows_lost") lost.push(event.rows);
  });
  recorder.marketData.record(QUOTE);
  await recorder.flush("market_data");
  for (let number = 0; number < 5; number += 1) recorder.marketData.record(QUOTE);
  await until("the rows in memory", async () => {
    const { tables } = await recorder.stats();
    return tables["market_data"]!.pending.rows === 5;
  });
  const dying = setInterval(crash, 1);
  let starts = 0;
  while (starts < 3) if ((await once(recorder, "pipeline"))[0] === "starting") starts += 1;
  clearInterval(dying);
  recorder.marketData.record(QUOTE);
  await recorder.flush();
  assert.equal((await recorder.stats()).tables["market_data"]!.stored, 1);
  assert.deepEqual(lost, [5]);
});

test("a ring that somebody damaged loses what it held, which is told and written down, and goes on", async (t) => {
  const { recorder } = await open(t, MORTAL);
  const told = eventOf(recorder, "ring_damaged");
  const handle = recorder.producer();
  const { words, i32 } = RingMemory.attach(handle.ring);
  // A record of a table that there is not.
  i32.set([4, 99]);
  Atomics.store(words, HEAD_WORD, 4);
  await told;
  assert.ok(attachProducer(handle).orders.record(ORDER));
  await recorder.flush();
  const { tables, pipeline } = await recorder.stats();
  assert.deepEqual([tables["orders"]!.stored, tables["system_events"]!.stored, pipeline], [1, 1, "up"]);
});

test("a ring has one writer: a second one is refused until the first has closed, or its thread has ended", async (t) => {
  const { recorder } = await open(t, MORTAL);
  const handle = recorder.producer();
  const first = attachProducer(handle);
  assert.throws(() => attachProducer(handle), { code: "RING_IN_USE", message: /^thread 0 records/ });
  first.close();
  const throwing = `
    const { workerData } = require("node:worker_threads");
    import(workerData.index).then(({ attachProducer }) => {
      attachProducer(workerData.handle);
      throw new Error("attached");
    });`;
  const index = new URL("../../src/index.js", import.meta.url).href;
  const thread = new Worker(throwing, { eval: true, workerData: { handle, index } });
  const [error] = await once(thread, "error");
  assert.match(error.message, /attached/);
  const next = attachProducer(handle);
  first.close();
  assert.throws(() => attachProducer(handle), { code: "RING_IN_USE" });
  assert.ok(next.orders.record(ORDER));
  next.close();
});

test("rules set at run time hold in the next pipeline thread, too; rules that leave out all rows are refused", async (t) => {
  const { recorder, crash } = await open(t, MORTAL);
  await assert.rejects(recorder.setPolicy("orders", { dedup: "bbo" }), { code: "CONFIG_INVALID" });
  await assert.rejects(recorder.setPolicy("orderz", {}), { code: "TABLE_UNKNOWN" });
  const misspelt = recorder.setPolicy("orders", { dedup: "bbo", by: ["symbol"], news: ["qt"] });
  await assert.rejects(misspelt, {
    code: "CONFIG_INVALID",
    message: /orders has no column qt; did you mean qty\?/,
  });
  await recorder.setPolicy("market_data", { dedup: "bbo" });
  const down = once(recorder, "pipeline");
  crash();
  await down;
  for (let number = 0; number < 3; number += 1)
    recorder.marketData.record({
      symbol: "X",
      kind: "quote",
      bid_px1: 1,
      bid_sz1: 1,
      ask_px1: 2,
      ask_sz1: 1,
    });
  await recorder.flush();
  assert.equal((await recorder.stats()).tables["market_data"]!.deduplicated, 2);
});

test("a recorder that cannot open what comes after its ClickHouse says why, and leaves nothing running", async (t) => {
  const data_dir = await temporaryFolder(t);
  await writeFile(join(data_dir, "dead-letters"), "a file where a folder belongs");
  await assert.rejects(createRecorder({ config: { data_dir } }), /EEXIST|ENOTDIR/);
});

test("the metrics of a recorder whose thread died go on, and those of its rings never stop", async (t) => {
  const { recorder, crash } = await open(t, MORTAL);
  const registry = new Registry();
  recorder.registerMetrics(registry);
  const scrape = async () => readPrometheusText(await registry.metrics());
  const record = async (rows: number): Promise<void> => {
    for (let n = 0; n < rows; n += 1) recorder.orders.record(ORDER);
    await recorder.flush();
  };
  const stored = (families: Awaited<ReturnType<typeof scrape>>): number | undefined =>
    families.get("recorder_rows_total")!.series.get('recorder_rows_total{outcome="stored",table="orders"}');

  await record(5);
  const before = await scrape();
  assert.equal(stored(before), 5);
  const down = once(recorder, "pipeline");
  crash();
  await down;
  const meanwhile = await scrape();
  assert.deepEqual([...meanwhile.get("recorder_pipeline_up")!.series.values()], [0]);
  assert.equal(meanwhile.get("recorder_rows_total")!.series.size, 0);
  await record(3);
  const afterwards = await scrape();
  assert.equal(stored(afterwards), 8);
  assert.deepEqual(
    [...afterwards.get("recorder_worker_restarts_total")!.series],
    [
      ['recorder_worker_restarts_total{worker="log"}', 0],
      ['recorder_worker_restarts_total{worker="pipeline"}', 1],
    ],
  );
  assert.equal(
    afterwards
      .get("recorder_ring_rows_total")!
      .series.get('recorder_ring_rows_total{outcome="taken",table="orders"}'),
    8,
  );
  assert.equal(afterwards.get("recorder_ring_usage_ratio")!.series.size, 1);
  for (const [name, { type, series }] of before) {
    if (type === "gauge") continue;
    for (const [key, count] of series) {
      const now = afterwards.get(name)!.series.get(key);
      assert.ok(
        now !== undefined && (now >= count || key.includes("event_lag_seconds_sum")),
        `${key} went back: ${count}, ${now}`,
      );
    }
  }
});
