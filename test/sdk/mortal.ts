import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { loadConfig } from "../../src/config/load.js";
import type { ConfigInput } from "../../src/config/schema.js";
import type { RecorderEvent } from "../../src/index.js";
import { RecordingClient } from "../../src/sdk/create-recorder.js";
import { PipelineThread } from "../../src/sdk/pipeline-thread.js";
import { randomOf } from "../support/random.js";
import { until } from "../support/until.js";
import { order, quote } from "./logged-fixture.js";

const RECORDED_BEFORE = 1000;

/**
 * Records orders and quotes while so many pipeline threads die, each at a random moment; then each order must be stored once, no quote
 * twice, and no order called lost.
 */
export async function recordWhileDying(
  t: TestContext,
  {
    clickhouse,
    place,
    deaths,
  }: { clickhouse: ClickHouse; place: ConfigInput & { data_dir: string }; deaths: number },
): Promise<void> {
  const seed = randomOf(t).below(1e6);
  process.env["COLDPATH_TEST_DEATHS"] = `${seed}`;
  t.after(() => delete process.env["COLDPATH_TEST_DEATHS"]);
  const { config } = loadConfig({ env: process.env, cwd: place.data_dir, values: place });
  const entry = new URL("./mortal-worker.js", import.meta.url);
  const { thread, layouts } = await PipelineThread.start(config, entry);
  const recorder = new RecordingClient(config, thread, layouts);
  t.after(() => recorder.close({ deadline: 0 }));
  const lost: string[] = [];
  recorder.on("event", (event: RecorderEvent) => {
    if (event.kind === "rows_lost") lost.push(event.table);
  });
  let died = 0;
  recorder.on("pipeline", (state) => {
    if (state === "down") died += 1;
    if (died === deaths) delete process.env["COLDPATH_TEST_DEATHS"];
  });
  let orders = 0;
  let quotes = 0;
  let refused = 0;
  const feed = setInterval(() => {
    // Little enough for the ring to hold it while there is no thread.
    for (let row = 0; row < 8; row += 1) {
      if (recorder.marketData.record(quote(quotes))) quotes += 1;
      else refused += 1;
      if (row % 4 === 0 && recorder.orders.record(order(orders))) orders += 1;
    }
  }, 1);
  t.after(() => clearInterval(feed));
  while (died < deaths) await once(recorder, "pipeline");
  await until("enough rows", () => orders > RECORDED_BEFORE && quotes > RECORDED_BEFORE);
  clearInterval(feed);
  await recorder.durable();
  await recorder.flush();
  const { tables } = await recorder.close();
  t.diagnostic(`${orders} orders, ${quotes} quotes recorded`);
  assert.equal(tables["orders"]!.pending.rows, 0);
  const [stored] = await clickhouse.rows<
    Record<"rows" | "orders" | "quoteRows" | "quotes" | "skipped" | "missing", string>
  >(
    `SELECT (SELECT count() FROM orders WHERE recorder = {id:String}) AS rows,
            (SELECT uniqExact(client_order_id) FROM orders WHERE recorder = {id:String}) AS orders,
            (SELECT count() FROM market_data WHERE recorder = {id:String}) AS quoteRows,
            (SELECT uniqExact(exchange_seq) FROM market_data WHERE recorder = {id:String}) AS quotes,
            (SELECT sum(skipped) FROM market_data WHERE recorder = {id:String}) AS skipped,
            (SELECT sum(rows) FROM system_events WHERE recorder = {id:String} AND kind = 'data_gap'
              AND attributes['table'] = 'market_data' AND attributes['reason'] NOT IN ('sampled', 'deduplicated')) AS missing`,
    { params: { id: config.recorder.id } },
  );
  assert.deepEqual([stored!.rows, stored!.orders], [`${orders}`, `${orders}`]);
  assert.equal(stored!.quoteRows, stored!.quotes);
  // Those that died with a thread were told, to the last one; twice where it died between the disk's word that a gap is written and its own.
  const { skipped, missing } = stored!;
  const told = Number(stored!.quotes) + Number(skipped) + Number(missing);
  assert.ok(told >= quotes + refused, `${told} of ${quotes + refused} are accounted for`);
  assert.ok(
    lost.every((table) => table === "market_data"),
    `lost: ${lost}`,
  );
}
