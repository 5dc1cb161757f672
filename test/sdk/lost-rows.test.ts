import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder } from "../../src/recorder.js";
import { Ledger } from "../../src/sdk/ledger.js";
import { tellLostRows } from "../../src/sdk/lost-rows.js";
import { recorderOptions } from "../intake/fixture.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";

const { engine, clickhouse } = await startMigratedEngine({ after });
const { user, password } = engine;
const proxy = await FaultProxy.start({ after }, engine.url);
const proxied = new ClickHouse({ url: proxy.url, user, password, database: "coldpath" });
after(() => proxied.close());

test("rows that a thread dropped just before it died are told by the next one, with those that it held", async (t) => {
  const folder = await temporaryFolder(t);
  const plain = recorderOptions(proxied, folder);
  const market_data = {
    ...plain.tables["market_data"]!,
    flush: { rows: 50, bytes: 2 ** 20, age: 10 },
    queue: { rows: 400 },
  };
  const tables = { market_data, system_events: { ...market_data, class: "critical" as const } };
  const first = await Recorder.open({ ...plain, tables });
  t.after(() => first.close({ deadlineMs: 0 }));
  await proxy.refuse();
  const writer = first.table("market_data");
  const now = BigInt(Date.now()) * 1_000_000n;
  for (let row = 0; row < 1000; row += 1)
    writer.offer({ ts_exchange: now, ts_local: now, symbol: "A", kind: "trade" });
  const { pendingRows: pending, storedRows: stored, untoldRows: untold } = writer;
  assert.equal(pending + untold, 1000);
  assert.ok(untold > 0);
  // It dies here, for all that the next one knows.
  const ledger = new Ledger(Ledger.create(1));
  // And two more rows that it took from its ring and of which nobody knows what became.
  ledger.publish(0, { pending, stored, untold, handed: 998 });
  const second = await Recorder.open({ ...plain, clickhouse, tables });
  const run = first.run.toString();
  const lost: number[] = [];
  await tellLostRows({
    ...{ clickhouse, recorder: second, recorderId: plain.recorder, run, ledger, handed: () => 1000 },
    tables: ["market_data"],
    onLost: (_, rows) => lost.push(rows),
  });
  await second.close({ deadlineMs: 10_000 });
  assert.deepEqual(lost, [pending + 2]);
  const [gaps] = await clickhouse.rows(
    "SELECT sum(rows) AS rows, groupUniqArray(attributes['run']) AS runs FROM system_events WHERE kind = 'data_gap'",
  );
  assert.deepEqual(gaps, { rows: "1002", runs: [run] });
  const { untold: _, ...rest } = ledger.of(0);
  assert.deepEqual(rest, { pending: 0, stored: 0, handed: 1000 });
});
