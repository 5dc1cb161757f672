import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder, type TableOptions } from "../../src/recorder.js";
import { recorderOptions } from "../intake/fixture.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";
import { loggedOptions } from "../wal/recorder-rig.js";
import { spooled } from "./spool-rig.js";

const { engine, clickhouse: direct } = await startMigratedEngine({ after });
const proxy = await FaultProxy.start({ after }, engine.url);
const clickhouse = new ClickHouse({ ...engine, url: proxy.url, database: "coldpath" });
after(() => clickhouse.close());

const ORDERS = 5_000;
const QUOTES = 8_000;

test("after an outage the log's rows come before the spool's, and a gap tells of each number that the spool gave up", async (t) => {
  const folder = await temporaryFolder(t);
  const [spool, market] = spooled({ folder }, {}, { spool: { max: 16 << 20 } });
  const logged = loggedOptions(clickhouse, folder, "orders", { queue: { rows: 500 } });
  const plain = recorderOptions(clickhouse, join(folder, "letters"));
  const flush = { rows: 1000, bytes: 4 << 20, age: 20 };
  const queue = { rows: 100_000 };
  const recorder = await Recorder.open({
    ...{ ...plain, ...spool, ...(logged.wal === undefined ? {} : { wal: logged.wal }) },
    tables: {
      ...logged.tables,
      system_events: { ...logged.tables["orders"]!, queue },
      market_data: { ...market, flush, queue } as TableOptions,
    },
  });
  t.after(async () => void (await recorder.close({ deadlineMs: 1000 })));
  await proxy.refuse();
  const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
  const orders = recorder.table("orders");
  const quotes = recorder.table("market_data");
  const quote = (row: number) => {
    const bid_px = Array.from({ length: 100 }, (_, level) => row + level);
    const time = { ts_exchange: now(), ts_local: now() };
    return { ...time, symbol: "A", kind: "depth", bid_px, bid_sz: bid_px, ask_px: bid_px, ask_sz: bid_px };
  };
  assert.ok(quotes.offer(quote(0)));
  await until("the link is down", () => recorder.stats().link.state === "down");
  const order = { strategy: "s", symbol: "A", side: "buy", status: "new" };
  for (let qty = 1; qty <= ORDERS; qty += 1) {
    if (orders.full) await orders.room();
    assert.ok(orders.offer({ ...order, ts: now(), client_order_id: `o${qty}`, qty }));
  }
  for (let row = 1; row < QUOTES; row += 1) {
    assert.ok(quotes.offer(quote(row)));
    if (row % 1000 === 0)
      await until("rows on disk", () => recorder.stats().tables["market_data"]!.pending.bytes < 2 << 20);
  }
  await proxy.accept();
  await recorder.flush();
  const dropped = recorder.stats().tables["market_data"]!.dropped["spool_full"]!;
  assert.ok(dropped > 0, "nothing was given up");
  await recorder.flush("system_events");
  const [found] = await direct.rows(
    `SELECT (SELECT max(ts_ingest) FROM orders) <= (SELECT min(ts_ingest) FROM market_data WHERE seq != 1) AS isAfter,
            (SELECT count() FROM orders) AS orders, (SELECT count() FROM market_data) AS quotes`,
  );
  assert.deepEqual(found, { isAfter: 1, orders: `${ORDERS}`, quotes: `${QUOTES - dropped}` });
  const gaps = await direct.rows(
    `WITH (SELECT groupArray((toUInt64(attributes['first_seq']), toUInt64(attributes['last_seq'])))
           FROM system_events WHERE kind = 'data_gap' AND attributes['reason'] = 'spool_full') AS spans
     SELECT (SELECT sum(rows) FROM system_events WHERE kind = 'data_gap' AND attributes['reason'] = 'spool_full') AS told,
            arraySum(span -> span.2 - span.1 + 1, spans) AS numbers,
            (SELECT countIf(arrayExists(span -> seq BETWEEN span.1 AND span.2, spans)) FROM market_data) AS stored`,
  );
  assert.deepEqual(gaps, [{ told: `${dropped}`, numbers: `${dropped}`, stored: "0" }]);
});
