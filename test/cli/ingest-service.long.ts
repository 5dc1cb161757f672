import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { StatusReport } from "../../src/admin/status-report.js";
import type { IngestReport } from "../../src/intake/ingest.js";
import { CliProcess, type CliRun } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { resetBeforeStore } from "../support/fault-proxy-faults.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";
import { promised } from "./cli-json.js";

const ROWS = 2000;

type Report = IngestReport & { readonly service: string | null };

interface Desk {
  readonly folder: string;
  readonly proxy: FaultProxy;
  serve(): Promise<CliProcess>;
  start(...args: string[]): CliProcess;
  ingest(...args: string[]): Promise<Report & { readonly code: number | null }>;
  status(): Promise<StatusReport>;
  query<T>(sql: string): Promise<T[]>;
}

/** A folder whose ClickHouse is a server of its own, so that a service can be killed and it stays. */
async function openDesk(t: TestContext, more: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const { engine, clickhouse } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start(t, engine.url);
  const folder = await temporaryFolder(t);
  const set = {
    "clickhouse.url": proxy.url,
    "clickhouse.user": engine.user,
    "admin.listen": "127.0.0.1:0",
    "recorder.env": "desk",
    ...more,
  };
  const given = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: engine.password };
  const start = (...args: string[]): CliProcess => {
    const running = new CliProcess([...given, ...args], folder, env);
    t.after(() => running.child.kill("SIGKILL"));
    return running;
  };
  const json = async (...args: string[]): Promise<CliRun> => await start("--json", ...args).ended();
  return {
    folder,
    proxy,
    start,
    serve: async () => {
      const serve = start("serve");
      await serve.printed(/Ctrl-C stores/);
      return serve;
    },
    ingest: async (...args) => {
      const { code, stdout, stderr } = await json("ingest", ...args);
      assert.notEqual(stdout, "", stderr);
      return { code, ...(promised("ingest", stdout) as Report) };
    },
    status: async () => JSON.parse((await json("status")).stdout) as StatusReport,
    query: async (sql) => await clickhouse.rows(sql),
  };
}

function orders(count: number, from = 1): string {
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      ...{ ts: "2026-11-20T09:30:00.123456789Z", client_order_id: `o-${from + index}`, strategy: "s" },
      ...{ symbol: "X", side: "buy", qty: "1.10", limit_px: `${from + index}.00000001`, status: "new" },
    }),
  ).join("\n");
}

/** As they stand in the table, by whoever stored them. */
const STORED = "SELECT count() AS rows, uniqExact(source_seq) AS lines, min(source_seq) AS first FROM orders";
const ONCE = [{ rows: `${ROWS}`, lines: `${ROWS}`, first: "1" }];

test("beside a service a file goes through it, under the identity that it has by itself, and once", async (t) => {
  const desk = await openDesk(t);
  const file = join(desk.folder, "orders.ndjson");
  await writeFile(file, `${orders(ROWS)}\n{"ts":1}\n`);
  const serve = await desk.serve();
  const through = await desk.ingest("orders.ndjson", "--table", "orders");
  assert.match(through.service!, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(
    [through.code, through.rows, through.stored, through.rejected, through.lost],
    [1, ROWS + 1, ROWS, 1, 0],
  );
  assert.match(through.files[0]!.rejections[0]!.message, /ts/);
  assert.equal((await desk.status()).tables["orders"]!.stored, ROWS, "the service has stored them");
  assert.deepEqual(await desk.query(STORED), ONCE);
  const columns = "ts, client_order_id, qty, limit_px, source, source_seq, env";
  const [first] = await desk.query<Record<string, string>>(
    `SELECT ${columns} FROM orders ORDER BY source_seq LIMIT 1`,
  );
  assert.deepEqual(first, {
    ...{ ts: "2026-11-20T09:30:00.123456789Z", client_order_id: "o-1", qty: "1.1", limit_px: "1.00000001" },
    ...{ source: through.files[0]!.source, source_seq: "1", env: "desk" },
  });
  const again = await desk.ingest("orders.ndjson", "--table", "orders", "--allow-rejects");
  assert.deepEqual([again.code, again.stored, again.alreadyStored], [0, 0, ROWS]);
  await serve.stop();
  const alone = await desk.ingest("orders.ndjson", "--table", "orders", "--allow-rejects");
  assert.deepEqual([alone.service, alone.stored, alone.alreadyStored], [null, 0, ROWS]);
  assert.deepEqual(await desk.query(STORED), ONCE);
  const letters = await desk.start("--json", "dead-letter", "ls").ended();
  assert.equal(JSON.parse(letters.stdout).letters, 1, "a refused row is kept once");
});

test("history is stored as it is: no policy of the service and no vocabulary changes it", async (t) => {
  const desk = await openDesk(t, {
    "tables.market_data.policy.dedup": "bbo",
    "tables.market_data.policy.depth": "1",
  });
  const quote = {
    ...{ ts_exchange: "2026-11-20T09:30:00Z", ts_local: "2026-11-20T09:30:00Z", symbol: " X", venue: "v" },
    ...{ kind: "depth", bid_px: ["2", "1"], bid_sz: ["1", "1"], ask_px: ["3"], ask_sz: ["1"] },
  };
  await writeFile(join(desk.folder, "quotes.ndjson"), `${JSON.stringify(quote)}\n`.repeat(5));
  await desk.serve();
  const { stored, lost } = await desk.ingest("quotes.ndjson", "--table", "market_data");
  assert.deepEqual([stored, lost], [5, 0]);
  const rows = await desk.query("SELECT DISTINCT symbol, length(bid_px) AS levels FROM market_data");
  assert.deepEqual(rows, [{ symbol: " X", levels: "2" }]);
});

for (const [what, kills] of [
  ["the command", (_serve: CliProcess) => {}],
  ["the command and the service", (serve: CliProcess) => serve.child.kill("SIGKILL")],
] as const)
  test(`${what} killed while rows are in the log alone: the same command stores nothing twice`, async (t) => {
    const desk = await openDesk(t);
    await writeFile(join(desk.folder, "orders.ndjson"), orders(ROWS));
    const serve = await desk.serve();
    desk.proxy.on({ where: ({ sql }) => sql.includes("orders"), times: Infinity }, resetBeforeStore);
    const running = desk.start("ingest", "orders.ndjson", "--table", "orders");
    await until("rows in the log", async () => (await desk.status()).tables["orders"]!.accepted === ROWS);
    running.child.kill("SIGKILL");
    kills(serve);
    await running.ended();
    desk.proxy.clear();
    const report = await desk.ingest("orders.ndjson", "--table", "orders");
    assert.deepEqual([report.code, report.stored, report.alreadyStored], [0, 0, ROWS]);
    assert.deepEqual(await desk.query(STORED), ONCE);
  });

test("rows that a service left in its spool are stored before the same file is read again", async (t) => {
  const desk = await openDesk(t, { "spool.after": "10ms", "tables.market_data.flush.rows": "100" });
  const ts = "2026-11-20T09:30:00Z";
  const quote = { ts_exchange: ts, ts_local: ts, symbol: "X", venue: "v", kind: "quote", bid_px1: "1" };
  await writeFile(join(desk.folder, "quotes.ndjson"), `${JSON.stringify(quote)}\n`.repeat(ROWS));
  const serve = await desk.serve();
  desk.proxy.on({ where: ({ sql }) => sql.includes("market_data"), times: Infinity }, resetBeforeStore);
  const running = desk.start("ingest", "quotes.ndjson", "--table", "market_data");
  await until("rows", async () => (await desk.status()).tables["market_data"]!.accepted === ROWS);
  await desk.proxy.refuse();
  // What was sent once stays in memory, and is lost with it.
  await until("rows on disk", async () => (await desk.status()).spool!["market_data"]!.rows >= ROWS / 2);
  for (const { child } of [running, serve]) child.kill("SIGKILL");
  await Promise.all([running.ended(), serve.ended()]);
  desk.proxy.clear();
  await desk.proxy.accept();
  const report = await desk.ingest("quotes.ndjson", "--table", "market_data");
  assert.deepEqual([report.code, report.service, report.lost], [0, null, 0]);
  assert.ok(report.alreadyStored >= ROWS / 2, `${report.alreadyStored} of the spool`);
  assert.equal(report.stored + report.alreadyStored, ROWS);
  const stored = await desk.query("SELECT count() AS rows, uniqExact(source_seq) AS lines FROM market_data");
  assert.deepEqual(stored, [{ rows: `${ROWS}`, lines: `${ROWS}` }]);
});

test("a command of another configuration, another table or another service's folder does no harm", async (t) => {
  const desk = await openDesk(t);
  await writeFile(join(desk.folder, "orders.ndjson"), orders(3));
  await desk.serve();
  const elsewhere = await desk
    .start("ingest", "orders.ndjson", "--table", "orders", "--set", "clickhouse.database=other")
    .ended();
  assert.equal(elsewhere.code, 2);
  assert.match(
    elsewhere.stderr,
    /clickhouse\.database: the service at \S+ has coldpath, and this command other/,
  );
  const unknown = await desk.start("ingest", "orders.ndjson", "--table", "order").ended();
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no table order: did you mean orders\?/);
  const token = await readFile(join(desk.folder, "data", "admin-token"), "utf8");
  await writeFile(join(desk.folder, "data", "admin-token"), "wrong\n");
  const refused = await desk.start("ingest", "orders.ndjson", "--table", "orders").ended();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /answered 401/);
  await writeFile(join(desk.folder, "data", "admin-token"), token);
  assert.deepEqual(await desk.query("SELECT count() AS rows FROM orders"), [{ rows: "0" }]);
});
