import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { openClickHouse } from "../../src/service/open.js";
import { openRecorder } from "../../src/service/open-recorder.js";
import { nodeDisk } from "../../src/wal/disk.js";
import { Log } from "../../src/wal/log.js";
import { cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { rows } from "../wal/sample.js";

const ROWS = 5000;

/** The folder of the log of a recorder whose ClickHouse went away before it had taken any of the orders. */
async function logLeftBehind(t: unknown): Promise<string> {
  const cwd = await temporaryFolder(t);
  const dataDir = join(cwd, "data");
  const set = [
    "recorder.id=desk-2",
    `data_dir=${dataDir}`,
    "tables.orders.flush.age=60s",
    "tables.orders.flush.rows=100000",
  ];
  const { config } = loadConfig({ file: undefined, env: {}, set, cwd });
  const opened = await openClickHouse(config);
  const recorder = await openRecorder(config, opened);
  await opened.engine!.close();
  const orders = recorder.table("orders");
  for (let row = 0; row < ROWS; row += 1) {
    const ticket = orders.offer({
      ts: BigInt(Date.now()) * 1_000_000n,
      client_order_id: `o-${row}`,
      strategy: "s",
      symbol: "BTCUSDT",
      side: "buy",
      qty: "1",
      status: "new",
    });
    assert(ticket !== undefined, `row ${row} was refused`);
  }
  await recorder.durable();
  await recorder.close({ deadlineMs: 0 });
  await opened.close();
  return join(dataDir, "wal");
}

test("the log of another host is stored once, however often it or a copy of it is replayed", async (t) => {
  const log = await logLeftBehind(t);
  const here = await temporaryFolder(t);
  const copy = join(here, "copy");
  cpSync(log, copy, { recursive: true });
  const replayed = { table: "orders", rows: ROWS, stored: ROWS, deadLettered: 0, left: 0 };
  for (const dir of [log, copy]) {
    const run = await cli(["--json", "wal", "replay", "--dir", dir], here);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), { dir, tables: [replayed] });
  }
  const again = await cli(["wal", "replay", "--dir", log], here);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^nothing to replay/);
  const count = "SELECT count(), uniqExact(client_order_id), any(recorder), uniqExact(run) FROM orders";
  const found = await cli(["query", "--format", "TSV", count], here);
  assert.equal(found.stdout, `${ROWS}\t${ROWS}\tdesk-2\t1\n`);
});

test("rows of a table that is not recorded here stay in the log, and replay says so and exits 1", async (t) => {
  const here = await temporaryFolder(t);
  const dir = join(here, "log");
  const { log } = Log.open({ dir, segmentBytes: 1e6, disk: nodeDisk, now: Date.now, reserveBytes: 0 });
  log.append(rows(1, 10, { table: "elsewhere" }));
  log.commit();
  log.close();
  const run = await cli(["wal", "replay", "--dir", dir], here);
  assert.equal(run.code, 1, run.stderr);
  assert.match(run.stdout, /^elsewhere +10 +0 +0 +10$/m);
  assert.match(run.stderr, /10 rows of elsewhere stay in the log: no such table is configured here/);
});
