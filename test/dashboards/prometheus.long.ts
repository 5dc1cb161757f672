import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Registry } from "prom-client";
import { createRecorder, us } from "../../src/index.js";
import { Alerting, withoutPrometheus } from "../alerts/alerting.js";
import { Desk } from "../alerts/desk.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";
import { panelsOf } from "./panels.js";

/** Of a recorder in this process, in a registry as its user has one; gives `host:port`. */
async function serveLibrary(t: TestContext): Promise<string> {
  const data_dir = await temporaryFolder(t);
  const recorder = await createRecorder({ config: { data_dir, recorder: { id: "library" } } });
  t.after(() => recorder.close());
  recorder.marketData.record({
    symbol: "AAA",
    kind: "quote",
    ts_exchange: us(Date.now() * 1000),
    bid_px1: 1,
  });
  const registry = new Registry();
  recorder.registerMetrics(registry);
  const server = createServer(async (_request, response) => {
    response.setHeader("content-type", registry.contentType);
    response.end(await registry.metrics());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("each panel of the recorder's dashboard shows something of a desk that works and has had trouble", {
  skip: withoutPrometheus(),
}, async (t) => {
  const desk = await Desk.start(t);
  const alerting = await Alerting.start(t, desk.address, await serveLibrary(t));
  // Rows that are wrong, inserts that fail, an outage that is too long for the spool, and a replay of it.
  await desk.send("orders", [{ ...desk.order(), qty: "many" }]);
  await desk.clickhouse.text("RENAME TABLE coldpath.orders TO coldpath.orders_away");
  await until(
    "a failed insert",
    async () => (await alerting.query("recorder_insert_errors_total > 1")).length > 0,
  );
  await desk.clickhouse.text("RENAME TABLE coldpath.orders_away TO coldpath.orders");
  const missing = new Set(
    panelsOf("coldpath-recorder").flatMap(({ title, exprs }) => exprs.map((expr) => `${title}: ${expr}`)),
  );
  await until("data for each panel", async () => {
    for (const panel of missing) {
      const expr = panel
        .slice(panel.indexOf(": ") + 2)
        .replaceAll("$instance", ".*")
        .replaceAll("$table", ".*")
        .replaceAll("$__rate_interval", "1m");
      const rows = await alerting.query(expr);
      if (rows.some(({ value }) => value[1] !== "NaN")) missing.delete(panel);
    }
    // Nothing has been dropped, and nothing is left of earlier starts.
    return [...missing].every((panel) =>
      /recorder_dropped_rows_total|recorder_inherited_pending_rows/.test(panel),
    );
  }).catch((error: unknown) => assert.fail(`${(error as Error).message}\n${[...missing].join("\n")}`));
});
