import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse, us } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";

const NAMES = 10_000_000;
const MIB = 1024 * 1024;

test("ten million symbols nobody has seen are recorded and stored in bounded memory", {
  timeout: 1_800_000,
}, async (t) => {
  const data_dir = await temporaryFolder(t);
  const recorder = await createRecorder({ config: { data_dir } });
  t.after(() => recorder.close({ deadline: 0 }));
  const opened = await openClickHouse(loadConfig({ env: {}, cwd: data_dir, values: { data_dir } }).config);
  t.after(() => opened.close());
  let settled = 0;
  for (let number = 0; number < NAMES; number += 1) {
    const row = { ts_exchange: us(Date.now() * 1000), kind: "quote", bid_px1: number } as const;
    // Landed in between, so that no row has to make room for another.
    while (!recorder.marketData.record({ ...row, symbol: `SYM-${number}` })) await new Promise(setImmediate);
    if (number % 100_000 !== 99_999) continue;
    await recorder.flush();
    if (number === NAMES / 10 - 1) settled = process.memoryUsage().rss;
  }
  const grown = process.memoryUsage().rss - settled;
  t.diagnostic(`resident memory grew by ${Math.round(grown / MIB)} MiB over the last nine million`);
  assert.ok(grown < 128 * MIB, `${grown}`);
  const stored = await opened.clickhouse.text(
    `SELECT count(), uniqExact(symbol), countIf(symbol != concat('SYM-', toString(bid_px1))) FROM market_data FORMAT TSV`,
  );
  assert.equal(stored, `${NAMES}\t${NAMES}\t0\n`);
  const { tables, rings } = await recorder.stats();
  const { offered, accepted, stored: rows } = tables["market_data"]!;
  assert.deepEqual([offered, accepted, rows, rings["market_data"]!.taken], Array(4).fill(NAMES));
});
