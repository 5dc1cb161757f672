import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder, type RecorderOptions } from "../../src/recorder.js";
import { recorderOptions } from "../intake/fixture.js";
import { endlessEnd } from "../spool/spool-rig.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";

const { engine, clickhouse } = await startMigratedEngine({ after });
const { user, password } = engine;
const proxy = await FaultProxy.start({ after }, engine.url);
const proxied = new ClickHouse({ url: proxy.url, user, password, database: "coldpath" });
after(() => proxied.close());

test("rows that are in memory alone when the recorder is closed are a gap, which the next start stores", async (t) => {
  const folder = await temporaryFolder(t);
  const plain = recorderOptions(proxied, join(folder, "letters"));
  const market_data = { ...plain.tables["market_data"]!, durability: "memory" } as const;
  const options: RecorderOptions = {
    ...plain,
    tables: { market_data, system_events: { ...market_data, class: "critical", durability: "wal" } },
    wal: {
      dir: join(folder, "wal"),
      commit: 2,
      segment: 2 ** 20,
      max: 2 ** 26,
      reserve: 0,
      emergencyDisk: 1,
    },
  };
  const { clock, close } = endlessEnd();
  const first = await Recorder.open({ ...options, clock });
  await proxy.refuse();
  const offer = (rows: number): void => {
    const now = BigInt(Date.now()) * 1_000_000n;
    for (let row = 0; row < rows; row += 1)
      first.table("market_data").offer({ ts_exchange: now, ts_local: now, symbol: "A", kind: "trade" });
  };
  offer(1);
  await until("the link is down", () => first.stats().link.state === "down");
  offer(9);
  const { tables } = await close(first);
  const { unsent, unconfirmed } = tables["market_data"]!;
  assert.deepEqual([unsent, unconfirmed], [10, 0]);
  await proxy.accept();
  const second = await Recorder.open(options);
  await second.replayed();
  await second.close({ deadlineMs: 10_000 });
  const gaps = await clickhouse.rows(
    `SELECT rows, attributes['reason'] AS reason, severity FROM system_events WHERE kind = 'data_gap' AND run = ${first.run}`,
  );
  assert.deepEqual(gaps, [{ rows: "10", reason: "closed", severity: "error" }]);
});
