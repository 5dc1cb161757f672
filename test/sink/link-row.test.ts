import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder } from "../../src/recorder.js";
import { recorderOptions, startTables } from "../intake/fixture.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";

const direct = await startTables({ after });

test("each change of the link is a row of system_events", async (t) => {
  const proxy = await FaultProxy.start(t, direct.endpoint);
  const clickhouse = new ClickHouse({ ...direct.options, url: proxy.url });
  t.after(() => clickhouse.close());
  const options = recorderOptions(clickhouse, await temporaryFolder(t), undefined, [
    "orders",
    "system_events",
  ]);
  const states: string[] = [];
  const recorder = await Recorder.open({
    ...options,
    report: (event) => {
      if (event.kind === "link") states.push(`${event.from} ${event.to}`);
    },
  });
  t.after(() => recorder.close({ deadlineMs: 0 }));
  await proxy.refuse();
  const order = { ts: new Date(), strategy: "s", symbol: "X", side: "buy", qty: 1, status: "new" };
  recorder.table("orders").offer({ ...order, client_order_id: "1" });
  await until("the link's end", () => recorder.stats().link.state === "down");
  await proxy.accept();
  await recorder.flush();
  await recorder.flush();
  assert.ok(states.includes("recovering up"), states.join());
  const rows = await direct.rows<{ change: string; component: string; has: number }>(
    `SELECT concat(attributes['from'], ' ', attributes['to']) AS change, component, message != '' AS has
     FROM system_events WHERE kind = 'link' ORDER BY seq`,
  );
  assert.deepEqual(
    rows.map(({ change }) => change),
    states,
  );
  assert.ok(rows.every(({ component, has }) => component === "sink" && Boolean(has)));
});
