import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { until } from "../support/until.js";
import { Description, type OpenapiDocument } from "./described.js";
import { startWhole } from "./whole-service.js";

const { service, exchanges, ask } = await startWhole({ after });
const NDJSON = { "content-type": "application/x-ndjson" };

/** A row of `orders` of that moment. */
function order(id: string, qty: string): string {
  return `${JSON.stringify({ ts: new Date(), client_order_id: id, strategy: "s", symbol: "X", side: "buy", qty, status: "new" })}\n`;
}

test("a question in SQL is answered with names, types and rows, every digit of them, and without a token", async () => {
  const sql = "SELECT toUInt64(18446744073709551615) AS big, 'x' AS word, [1, 2] AS list";
  const { status, json } = await ask("POST", "/api/query", { body: { sql }, asGuest: true });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(json.columns, [
    { name: "big", type: "UInt64" },
    { name: "word", type: "String" },
    { name: "list", type: "Array(UInt8)" },
  ]);
  assert.deepEqual(json.rows, [["18446744073709551615", "x", [1, 2]]]);
  assert.equal(json.truncated, false);
});

test("a question cannot change what it is asked under, and may be about settings", async () => {
  const sql = "SELECT getSetting('readonly'), value FROM system.settings WHERE name = 'max_execution_time'";
  const { json } = await ask("POST", "/api/query", { body: { sql } });
  assert.deepEqual(json.rows, [[1, "10"]]);
});

test("of a large answer the first thousand rows come, and little more is read for them", async () => {
  const { json } = await ask("POST", "/api/query", { body: { sql: "SELECT number FROM numbers(1e12)" } });
  assert.deepEqual([json.rows.length, json.truncated], [1000, true]);
  assert.ok(json.rowsRead < 1e6, `${json.rowsRead} rows were read`);
  const exact = await ask("POST", "/api/query", { body: { sql: "SELECT number FROM numbers(1000)" } });
  assert.deepEqual([exact.json.rows.length, exact.json.truncated], [1000, false]);
});

test("what is no question is refused: writing, files, a format of its own, none at all, an answer of megabytes", async () => {
  for (const [sql, reason] of [
    ["DROP TABLE coldpath.orders", /expected a question/],
    ["WITH x AS (SELECT 1) INSERT INTO coldpath.orders SELECT 1", /./],
    ["INSERT INTO coldpath.orders SELECT * FROM coldpath.orders", /expected a question/],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')", /./],
    ["SELECT 1 FORMAT CSV", /leave FORMAT out/],
    ["SELECT repeat('x', 100000) FROM numbers(900)", /larger than 4 MiB/],
    ["SELECT FROM WHERE", /SYNTAX_ERROR|UNKNOWN/],
    ["SELEC 1", /expected a question/],
    ["-- SELECT\nKILL QUERY WHERE 1", /expected a question/],
    ["SELECT 1; SELECT 2", /./],
    ["SELECT 1; DROP TABLE coldpath.orders", /./],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", /./],
    ["SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", /./],
    ["SELECT * FROM remote('127.0.0.1:1', system.one)", /./],
    ["SELECT * FROM numbers(1e9) SETTINGS max_result_rows = 0, max_execution_time = 0", /no SETTINGS/],
    ["SELECT * FROM (SELECT 1 SETTINGS `max_execution_time` = 0)", /no SETTINGS/],
    ["SELECT 1 SETTINGS/**/readonly = 0", /no SETTINGS/],
    ["  ", /expected a body/],
  ] as const) {
    const { status, json } = await ask("POST", "/api/query", { body: { sql } });
    assert.equal(status, 400, `${sql}: ${status} ${JSON.stringify(json)}`);
    assert.match(json.error.message, reason, sql);
  }
  const bare = await ask("POST", "/api/query", { body: "SELECT 1" });
  assert.equal(bare.status, 400);
});

test("four questions are answered at once, the fifth is told to come again", async () => {
  const sql = "SELECT sleepEachRow(0.5) FROM numbers(6)";
  const running = [1, 2, 3, 4].map(() => ask("POST", "/api/query", { body: { sql } }));
  const first = Promise.race(running);
  await until("the fifth is refused", async () => {
    const { status, headers } = await ask("POST", "/api/query", { body: { sql: "SELECT 1" } });
    if (status === 503) assert.equal(headers.get("retry-after"), "1");
    return status === 503;
  });
  assert.equal((await first).status, 200);
  for (const each of await Promise.all(running)) assert.equal(each.status, 200);
});

test("refused rows are counted, and tried again beside the running recorder: what fits by now is stored, what does not stays", async () => {
  const { clickhouse } = service.opened;
  await clickhouse.command("ALTER TABLE coldpath.orders ADD CONSTRAINT small CHECK qty < 1000");
  const body = order("large", "5000") + order("broken", "many") + order("well", "1");
  const taken = await ask("POST", "/v1/ingest/orders", { body, headers: NDJSON });
  assert.deepEqual([taken.json.accepted, taken.json.rejected], [2, 1], taken.text);
  await service.recorder.flush("orders");
  const counted = await ask("GET", "/api/dead-letters", { asGuest: true });
  assert.deepEqual([counted.json.letters, counted.json.damaged], [2, 0]);
  assert.deepEqual(
    counted.json.groups.map(({ table }: { table: string }) => table),
    ["orders", "orders"],
  );
  assert.equal((await ask("GET", "/api/dead-letters?table=fills")).json.letters, 0);
  await clickhouse.command("ALTER TABLE coldpath.orders DROP CONSTRAINT small");
  const retried = await ask("POST", "/api/dead-letters/retry", { body: { table: "orders" } });
  assert.deepEqual([retried.status, retried.json.tables?.[0].stored], [200, 1], retried.text);
  await service.recorder.flush("orders");
  const sql = "SELECT client_order_id FROM coldpath.orders ORDER BY ALL";
  assert.deepEqual((await ask("POST", "/api/query", { body: { sql } })).json.rows, [["large"], ["well"]]);
  const again = await ask("POST", "/api/dead-letters/retry", { body: { all: true } });
  const [{ table, stored, left, errors }] = again.json.tables;
  assert.deepEqual([table, stored, left, errors.length], ["orders", 0, 1, 1]);
});

test("nothing is tried again unless it is said what", async () => {
  for (const body of [{}, { ids: [] }, { all: true, table: "orders" }, { ids: [1] }, "all"]) {
    const { status, json } = await ask("POST", "/api/dead-letters/retry", { body });
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(json.error.message, /say which letters/);
  }
});

test("who changes something is written down: an event, and a row of system_events; who only asks is not", async () => {
  const headers = { "user-agent": "a tool\u00e9" };
  assert.equal((await ask("POST", "/api/flush?wait=60", { headers })).status, 200);
  assert.equal((await ask("POST", "/api/flush?table=nothing", { headers })).status, 404);
  assert.equal((await ask("POST", "/api/flush", { headers, asGuest: true })).status, 401);
  await ask("POST", "/api/query", { body: { sql: "SELECT 1" } });
  await service.recorder.flush("system_events");
  const sql =
    "SELECT message, attributes['who'], attributes['agent'], attributes['outcome'] FROM coldpath.system_events " +
    "WHERE kind = 'admin' AND attributes['agent'] LIKE 'a tool%' ORDER BY seq";
  let rows: unknown[] = [];
  await until("both are stored", async () => {
    ({ rows } = (await ask("POST", "/api/query", { body: { sql } })).json);
    return rows.length >= 2;
  });
  assert.deepEqual(rows, [
    ["POST /api/flush?wait=60: done, 200", "token", "a tool?", "done"],
    ["POST /api/flush?table=nothing: refused, 404", "token", "a tool?", "refused"],
  ]);
  const { events } = (await ask("GET", "/api/events")).json;
  const told = events.filter((event: { kind: string }) => event.kind === "admin");
  assert.ok(
    told.some(({ message }: { message: string }) => message === "POST /api/flush?wait=60: done, 200"),
  );
  assert.ok(told.every(({ message }: { message: string }) => !message.includes("/api/query")));
});

test("what is scraped is the recorder's and the process's", async () => {
  const { status, text } = await ask("GET", "/metrics", { asGuest: true });
  assert.equal(status, 200);
  assert.match(text, /^recorder_offered_rows_total\{table="orders"\} \d+$/m);
  assert.match(text, /^process_cpu_seconds_total /m);
});

test("rows are taken and land", async () => {
  for (const path of ["/healthz", "/readyz", "/landingz"]) {
    const { status, text } = await ask("GET", path, { asGuest: true });
    assert.deepEqual([status, text], [200, "ok\n"], path);
  }
});

test("what is asked of the log is done with this recorder's log alone", async () => {
  assert.equal((await ask("POST", "/api/wal/repair?dir=/nowhere")).status, 409);
  assert.equal((await ask("POST", "/api/wal/repair?dryRun=perhaps")).status, 400);
  assert.equal((await ask("POST", "/api/wal/purge", { asGuest: true })).status, 401);
  const { status, json } = await ask("POST", "/api/wal/purge");
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual([json.forced, json.removed, json.kept.length, json.sending], [false, [], 1, []]);
});

test("a question about what is not there is answered so", async () => {
  assert.equal((await ask("GET", "/api/replay/nothing")).status, 404);
  const { json } = await ask("POST", "/api/replay");
  assert.equal((await ask("GET", `/api/replay/${json.id}`)).status, 200);
  assert.equal((await ask("POST", "/api/replay?without=orders.qty")).status, 400);
  assert.equal((await ask("POST", "/v1/ingest/nothing", { body: "{}", headers: NDJSON })).status, 404);
  assert.equal(
    (await ask("POST", "/v1/ingest/orders", { body: "{}", headers: { "content-type": "text/csv" } })).status,
    415,
  );
});

test("the OpenAPI description says what each route takes and answers, as it really does", async (t) => {
  const { json, status } = await ask("GET", "/api/openapi.json", { asGuest: true });
  assert.equal(status, 200);
  const described = new Description(json as OpenapiDocument);
  for (const path of ["/", "/api/status", "/api/history", "/api/events", "/api/config"])
    await ask("GET", path);
  await ask("GET", "/", { headers: { accept: "text/html" } });
  await ask("POST", "/api/reload");
  const seen = new Set(exchanges.map((exchange) => described.check(exchange)));
  const stream = await fetch(`${service.adminUrl}/api/stream`);
  await stream.body?.cancel();
  const contentType = stream.headers.get("content-type") ?? "";
  const asked = { method: "GET", path: "/api/stream", sent: undefined };
  seen.add(described.check({ ...asked, status: stream.status, contentType, received: "" }));
  assert.deepEqual(
    described.operations.filter((operation) => !seen.has(operation)),
    [],
    "operations that nobody asked for",
  );
  t.diagnostic(`${exchanges.length} exchanges on ${seen.size} operations`);
});

test("no route is left out of the description, and none is made up", async () => {
  const { json } = await ask("GET", "/api/openapi.json");
  const text = readdirSync("src/admin")
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(`src/admin/${name}`, "utf8"))
    .join("");
  const routes = [...text.matchAll(/\.(get|post)(?:<[^()]*>)?\(\s*"(\/[^"]*)"/g)].map(
    ([, method, path]) => `${method} ${path!.replace(/:(\w+)/g, "{$1}")}`,
  );
  assert.deepEqual(new Description(json as OpenapiDocument).operations.sort(), routes.sort());
});
