import assert from "node:assert/strict";
import { after, test } from "node:test";
import { until } from "../support/until.js";
import { startWhole } from "./whole-service.js";

const { ask } = await startWhole({ after });
const NDJSON = { "content-type": "application/x-ndjson" };

/** A row of `orders` of this moment. */
function order(id: string): string {
  const ts = new Date();
  return `${JSON.stringify({ ts, client_order_id: id, strategy: "s", symbol: "X", side: "buy", qty: "1", status: "new" })}\n`;
}

test("whatever is asked for at once, again and again, is done or told: flushes, replays, reloads and retries", async () => {
  const body = Array.from({ length: 50 }, (_, i) => order(`busy-${i}`)).join("");
  assert.equal((await ask("POST", "/v1/ingest/orders", { body, headers: NDJSON })).status, 200);
  const paths = ["/api/flush", "/api/replay", "/api/reload", "/api/flush?table=orders", "/api/replay"];
  const all = [...paths, ...paths, ...paths].map((path) => ask("POST", path));
  const retries = [1, 2].map(() => ask("POST", "/api/dead-letters/retry", { body: { table: "orders" } }));
  for (const { status, text } of await Promise.all(all)) assert.equal(status, 200, text);
  for (const { status, text } of await Promise.all(retries)) assert.ok([200, 409].includes(status), text);
  const sql =
    "SELECT count() AS n, uniqExact(client_order_id) AS ids FROM coldpath.orders WHERE client_order_id LIKE 'busy-%'";
  let rows: unknown;
  await until("all are stored", async () => {
    ({ rows } = (await ask("POST", "/api/query", { body: { sql } })).json);
    return Number((rows as string[][])[0]![0]) >= 50;
  });
  assert.deepEqual(rows, [["50", "50"]], "each once");
});
