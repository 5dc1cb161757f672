import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startWhole } from "./whole-service.js";

const { ask, service } = await startWhole({ after }, ["engine.reader.enabled=false"]);

test("where ClickHouse wants a password to read, a question wants the token, and can only read all the same", async () => {
  const sql = "SELECT currentUser() AS user, getSetting('readonly') AS readonly";
  const guest = await ask("POST", "/api/query", { body: { sql }, asGuest: true });
  assert.equal(guest.status, 401);
  const { status, json } = await ask("POST", "/api/query", { body: { sql } });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.rows[0][1], 1);
  for (const forbidden of [
    "DROP TABLE coldpath.orders",
    "INSERT INTO coldpath.orders (symbol) VALUES ('x')",
    "CREATE TABLE coldpath.mine (a UInt8) ENGINE = Memory",
    "SET readonly = 0",
    "TRUNCATE TABLE coldpath.system_events",
    "KILL QUERY WHERE 1",
    "WITH 1 AS x INSERT INTO coldpath.orders (symbol) SELECT 'x'",
    "EXPLAIN SELECT 1; DROP TABLE coldpath.orders",
  ]) {
    const refused = await ask("POST", "/api/query", { body: { sql: forbidden } });
    assert.equal(refused.status, 400, `${forbidden}: ${refused.text}`);
  }
  // Not for the first word alone: who asks is kept to reading.
  const settings = await ask("POST", "/api/query", {
    body: { sql: "/* ( */ (SELECT getSetting('readonly'))" },
  });
  assert.ok(Number(settings.json.rows[0][0]) > 0);
  const { clickhouse } = service.opened;
  const tables = await clickhouse.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'coldpath'",
  );
  const names = tables.map(({ name }) => name);
  assert.ok(names.includes("orders") && !names.includes("mine"));
});

test("a question that takes too long is ended by ClickHouse, one that nobody waits for by us", async () => {
  const sql = "SELECT count() FROM system.numbers WHERE NOT ignore(number)";
  const startedAt = performance.now();
  const slow = await ask("POST", "/api/query", { body: { sql } });
  assert.ok(performance.now() - startedAt < 20_000);
  assert.ok([400, 503].includes(slow.status), slow.text);
  assert.match(slow.json.error.message, /TIMEOUT_EXCEEDED|timed out|deadline/i);
});
