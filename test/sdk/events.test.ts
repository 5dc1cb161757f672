import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse, type RecordedEvent, us } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";

const T = Math.floor(Date.now() / 1000) * 1_000_000;

/** Events of a bus, and what plain SQL must say of each afterwards. */
const BUS: readonly (readonly [event: RecordedEvent, sql: string, stored: string])[] = [
  [
    {
      type: "quote",
      ts_exchange: us(T),
      ts_local: us(T + 5),
      symbol: " EURUSD ",
      bid_px1: "1.1",
      ask_px1: 1.2,
    },
    "SELECT kind, symbol, bid_px1, ask_px1, ts_exchange_src, bid_px FROM market_data WHERE kind = 'quote'",
    "quote\tEURUSD\t1.1\t1.2\tvenue\t[]",
  ],
];

test("each event of a mixed bus is a row of its table", async (t) => {
  const data_dir = await temporaryFolder(t);
  const { config } = loadConfig({ env: {}, cwd: data_dir, values: { data_dir } });
  const recorder = await createRecorder({ config: { data_dir } });
  t.after(() => recorder.close({ deadline: 0 }));
  for (const [event] of BUS) assert.equal(recorder.events.record(event), true);
  for (const alien of [{ type: "quot", symbol: "X" }, {}, null, undefined, 7, "quote"])
    assert.equal(recorder.events.record(alien as unknown as RecordedEvent), false);
  await recorder.flush();
  const opened = await openClickHouse(config);
  t.after(() => opened.close());
  for (const [, sql, stored] of BUS)
    assert.equal(await opened.clickhouse.text(`${sql} FORMAT TSV`), `${stored}\n`, sql);
  const { tables, unknownEvents, rings } = await recorder.stats();
  assert.equal(unknownEvents, 6);
  for (const [name, counts] of Object.entries(tables)) {
    const refused = Object.values(counts.refused).reduce((sum, rows) => sum + rows, 0);
    assert.equal(counts.offered, refused + counts.accepted, name);
    assert.equal(counts.offered, rings[name]!.taken, name);
  }
});
