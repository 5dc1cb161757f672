import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CliProcess, cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { until } from "../support/until.js";

/** Tests run at the root of the checkout. */
const ROOT = process.cwd();

const ORDERS = [
  '{"ts":"2026-01-05T09:30:00.000000001Z","client_order_id":"a-1","strategy":"s","symbol":"X","side":"buy","qty":"1.5","status":"new"}',
  '{"ts":"2026-01-05T09:30:01Z","client_order_id":"9007199254740993","strategy":"s","symbol":"X","side":"sell","qty":2,"limit_px":1.10,"status":"new"}',
].join("\n");

/** For queries that read no table of coldpath's. */
const ANY_DATABASE = ["--set", "clickhouse.database=default"];

/** A folder whose engine runs already: commands join it, and most tests need no engine of their own. */
const served = await temporaryFolder({ after });
await layMigrated(join(served, "data", "clickhouse"));
const db = new CliProcess(["db", "--listen", "127.0.0.1:0"], served);
after(async () => {
  const { code, stderr } = await db.stop();
  assert.equal(code, 0, stderr);
});
const [, dbUrl] = await db.printed(/embedded at (http:\/\/\S+)/);

test("wrong usage ends with exit code 2 and one line that says what", async (t) => {
  const cwd = await temporaryFolder(t);
  for (const [args, line] of [
    [["confg"], /unknown command 'confg'/],
    [["ingest", "x.csv"], /required option '-t, --table <name>' not specified/],
    [["query"], /missing required argument 'sql'/],
    [
      ["config", "check", "--set", "log.level=loud"],
      /log\.level: "loud" is not one of debug, info, warn, error/,
    ],
    [["demo", "--duration", "soon"], /--duration soon: expected a duration such as 20s/],
    [["demo", "--duration", "25d"], /--duration 25d: expected 24d at most/],
    [["demo", "--rate", "0.5"], /--rate 0\.5: expected events per second, from 1 to 100000/],
  ] as const) {
    const { code, stderr } = await cli(args, cwd);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, line);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
  }
});

test("init writes a file that config check accepts, and does not overwrite it", async (t) => {
  const cwd = await temporaryFolder(t);
  assert.equal((await cli(["init"], cwd)).code, 0);
  assert.equal((await cli(["config", "check"], cwd)).stdout, "the configuration is fine\n");
  const again = await cli(["init"], cwd);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /coldpath\.yaml exists already/);
  assert.equal((await cli(["init", "/proc/nowhere"], cwd)).code, 1, "it does not try for ever");
});

test("a file is ingested, a second run stores nothing twice, and query reads it back", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "orders.ndjson.gz"), gzipSync(ORDERS));
  const first = await cli(["ingest", "orders.ndjson.gz", "--table", "orders", "--json"], cwd);
  assert.equal(first.code, 0, first.stderr);
  const report = JSON.parse(first.stdout) as { stored: number; rejected: number };
  assert.deepEqual([report.stored, report.rejected], [2, 0]);
  const second = await cli(["ingest", "orders.ndjson.gz", "--table", "orders", "--json"], cwd);
  assert.equal((JSON.parse(second.stdout) as { alreadyStored: number }).alreadyStored, 2);
  const sql =
    "SELECT toString(ts), client_order_id, toString(qty), toString(limit_px), source_seq FROM orders ORDER BY ts";
  assert.equal(
    (await cli(["query", sql, "--format", "TSV"], cwd)).stdout,
    "2026-01-05 09:30:00.000000001\ta-1\t1.5\t\\N\t1\n2026-01-05 09:30:01.000000000\t9007199254740993\t2\t1.1\t2\n",
  );
});

test("query prints every digit of ids and decimals in JSON", async () => {
  const sql = "SELECT toUInt64(18446744073709551615) AS id, toDecimal128('12345678901234567890.10', 2) AS px";
  const { code, stdout } = await cli(["query", sql, "--format", "JSONEachRow", ...ANY_DATABASE], served);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { id: "18446744073709551615", px: "12345678901234567890.1" });
});

test("refused rows make ingest fail with their line and reason, unless --allow-rejects", async () => {
  const bad =
    '{"ts":"2026-01-05T09:30:02Z","client_order_id":"b","strategy":"s","symbol":"X","side":"up","qty":1,"status":"new"}';
  await writeFile(join(served, "refused.ndjson"), `${ORDERS}\n${bad}\n`);
  const strict = await cli(["ingest", "refused.ndjson", "--table", "orders"], served);
  assert.equal(strict.code, 1);
  assert.match(strict.stdout, /refused\.ndjson:3: .*side/);
  assert.match(strict.stdout, /2 rows stored in orders/);
  const lenient = await cli(["ingest", "refused.ndjson", "--table", "orders", "--allow-rejects"], served);
  assert.equal(lenient.code, 0);
  const unknown = await cli(["ingest", "refused.ndjson", "--table", "order"], served);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no table order: did you mean orders\?/);
});

test("a file that is missing is named once", async () => {
  const { code, stdout } = await cli(["ingest", "nope.csv", "--table", "orders"], served);
  assert.equal(code, 1);
  assert.match(stdout, /^nope\.csv: no such file$/m);
});

test("a reader that leaves early ends a query quietly; bad SQL is told in one short line", async (t) => {
  const cwd = await temporaryFolder(t);
  const query = new CliProcess(["query", ...ANY_DATABASE, "SELECT number FROM numbers(10000000)"], cwd);
  t.after(() => query.child.kill("SIGKILL"));
  await query.printed(/\d/);
  query.child.stdout!.destroy();
  const { code, stderr } = await query.ended();
  assert.deepEqual([code, stderr], [0, ""]);
  const bad = await cli(["query", ...ANY_DATABASE, "SELEC 1"], served);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /Syntax error: failed at position 1 \(SELEC\): SELEC 1\. \(SYNTAX_ERROR\)/);
});

test("rows from standard input are recorded", async () => {
  const args = ["ingest", "-", "--table", "orders", "--format", "ndjson", "--source", "feed-1", "--json"];
  const { code, stdout, stderr } = await cli(args, served, ORDERS);
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { stored: number }).stored, 2);
});

test("a user's own table works from one SQL file and a few lines of configuration, as the guide says", async (t) => {
  const cwd = await temporaryFolder(t);
  await layMigrated(join(cwd, "data", "clickhouse"));
  const example = join(ROOT, "examples", "own-table");
  await cp(example, cwd, { recursive: true });
  const guide = await readFile(join(ROOT, "docs", "guides", "own-table.md"), "utf8");
  for (const file of ["schemas/0001_signals.sql", "coldpath.yaml"]) {
    assert.ok(guide.includes(await readFile(join(example, file), "utf8")), `the guide shows ${file}`);
  }
  const { code, stdout, stderr } = await cli(["ingest", "signals.csv", "--table", "signals"], cwd);
  assert.equal(code, 0, stdout + stderr);
  const read = await cli(
    ["query", "SELECT name, value, note FROM signals ORDER BY ts", "--format", "TSV"],
    cwd,
  );
  assert.equal(read.stdout, "alpha\t0.125\t\\N\nalpha\t-0.5\tafter the print\n");
});

test("db serves ClickHouse on loopback; query and ingest use the engine that runs", async () => {
  assert.equal(await (await fetch(`${dbUrl}/?query=SELECT+1`)).text(), "1\n");
  await writeFile(join(served, "orders.ndjson"), ORDERS);
  const args = ["ingest", "orders.ndjson", "--table", "orders", "--source", "while-db-runs"];
  assert.equal((await cli(args, served)).code, 0);
  const sql = "SELECT count() FROM coldpath.orders WHERE source = 'while-db-runs'";
  assert.equal(await (await fetch(`${dbUrl}/?${new URLSearchParams({ query: sql })}`)).text(), "2\n");
  const refused = await fetch(`${dbUrl}/`, { method: "POST", body: "DROP TABLE coldpath.orders" });
  assert.notEqual(refused.status, 200);
  const second = await cli(["db", "--listen", "127.0.0.1:0"], served);
  assert.equal(second.code, 1);
  assert.match(
    second.stderr,
    /data folder .* is used by process \d+; stop that one, or choose another folder/,
  );
});

test("migrate says what it does, and that there is nothing more to do", async () => {
  const set = ["--set", "clickhouse.database=fresh"];
  const printed = await cli(["migrate", "--print"], served);
  assert.match(printed.stdout, /CREATE TABLE IF NOT EXISTS market_data/);
  assert.match((await cli(["migrate", "--dry-run", ...set], served)).stdout, /would apply 0001_market_data/);
  assert.match((await cli(["migrate", ...set], served)).stdout, /applied 0001_market_data/);
  assert.equal((await cli(["migrate", ...set], served)).stdout, "nothing to apply\n");
});

test("migrate --print-grants prints roles for the configured tables, without a ClickHouse", async (t) => {
  const cwd = await temporaryFolder(t);
  const { code, stdout } = await cli(
    ["migrate", "--print-grants", "--set", "tables.signals.class=critical"],
    cwd,
  );
  assert.equal(code, 0);
  assert.match(stdout, /^CREATE ROLE IF NOT EXISTS coldpath_migrator;$/m);
  assert.match(stdout, /^GRANT INSERT ON coldpath\.signals TO coldpath_writer;$/m);
});

test("with a cluster configured migrate prints for it, and applies nothing", async (t) => {
  const cwd = await temporaryFolder(t);
  const refused = await cli(["migrate", "--print", "--set", "clickhouse.cluster=prod"], cwd);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /clickhouse\.cluster: names a cluster of servers: set clickhouse\.url/);
  const server = ["--set", "clickhouse.cluster=prod", "--set", `clickhouse.url=${dbUrl}`];
  const printed = await cli(["migrate", "--print", ...server], cwd);
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /^CREATE TABLE IF NOT EXISTS coldpath\.orders ON CLUSTER 'prod'$/m);
  for (const [database, difference] of [
    ["default", "table orders is missing"],
    ["absent", "UNKNOWN_DATABASE"],
  ] as const) {
    const applied = await cli(["migrate", ...server, "--set", `clickhouse.database=${database}`], cwd);
    assert.equal(applied.code, 1);
    assert.match(applied.stderr, /applies nothing on cluster prod: .* --print /);
    assert.ok(applied.stderr.includes(difference), applied.stderr);
  }
});

test("migrate says of a file of yours that no configured folder has it any more", async (t) => {
  const own = await temporaryFolder(t);
  const set = ["--set", "clickhouse.database=own_files"];
  await writeFile(join(own, "0001_own.sql"), "SELECT 1");
  const { stdout } = await cli(["migrate", "--set", `schemas=${own}`, ...set], served);
  assert.match(stdout, /^applied 0001_own\.sql \(yours\)$/m);
  assert.equal(
    (await cli(["migrate", ...set], served)).stdout,
    "nothing to apply\n0001_own.sql is applied there, but no configured schemas folder has it\n",
  );
});

test("serve takes rows over HTTP from whoever has the token, and they are in ClickHouse soon after", async (t) => {
  const cwd = await temporaryFolder(t);
  await layMigrated(join(cwd, "data", "clickhouse"));
  const serve = new CliProcess(["serve", "--set", "admin.listen=127.0.0.1:0"], cwd);
  t.after(() => serve.child.kill("SIGKILL"));
  const [, admin] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
  const [, clickhouse] = await serve.printed(/ClickHouse\s+(http:\/\/\S+)/);
  const token = (await readFile(join(cwd, "data", "admin-token"), "utf8")).trim();
  const post = (
    table: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(`${admin}/v1/ingest/${table}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${token}`, ...headers },
    });
  const taken = await post("orders", gzipSync(`${ORDERS}\n{"ts":1}\n`), { "content-encoding": "gzip" });
  assert.equal(taken.status, 200);
  const answer = (await taken.json()) as {
    accepted: number;
    rejected: number;
    errors: { line: number; column: string }[];
  };
  assert.deepEqual([answer.accepted, answer.rejected, answer.errors[0]?.line], [2, 1, 3]);
  // The answer says that they are in the log; the batch leaves when it is old enough.
  await until(
    "both rows",
    async () =>
      (await (await fetch(`${clickhouse}/?query=SELECT+count()+FROM+coldpath.orders`)).text()) === "2\n",
  );

  assert.equal((await post("orders", ORDERS, { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await post("order", ORDERS)).status, 404);
  assert.equal((await post("orders?histroy=true", ORDERS)).status, 400);
  assert.equal((await post("orders", ORDERS, { "content-type": "text/csv" })).status, 415);
  assert.equal((await post("orders", "not gzip", { "content-encoding": "gzip" })).status, 400);
  assert.equal((await post("orders", ORDERS, { origin: "http://evil.example" })).status, 403);
  assert.equal((await fetch(`${admin}/healthz`)).status, 200);
  const status = (await (await fetch(`${admin}/api/status`)).json()) as {
    tables: { orders: { stored: number } };
  };
  assert.equal(status.tables.orders.stored, 2);
  const { code, stdout } = await serve.stop();
  assert.equal(code, 0);
  assert.match(stdout, /orders\s+3\s+2\s+1\s+0\s+0\s+0\s+0$/m);
});

test("demo records a market that says it is simulated, and ends by itself", async (t) => {
  const cwd = await temporaryFolder(t);
  await layMigrated(join(cwd, "data", "clickhouse"));
  const database = ["--set", "clickhouse.database=mine"];
  const { code, stdout, stderr } = await cli(
    ["demo", "--duration", "1s", "--set", "admin.listen=127.0.0.1:0", ...database],
    cwd,
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /SIMULATED/);
  assert.match(stderr, /query it .* FROM mine\.market_data /);
  assert.doesNotMatch(stderr, /"event":"engine"/);
  const [, offered, stored] = /market_data\s+(\d+)\s+(\d+)/.exec(stdout)!;
  assert.equal(offered, stored);
  const sql =
    "SELECT countIf(symbol NOT LIKE 'SIM-%' OR env != 'demo' OR source != 'simulator'), count() FROM market_data";
  assert.equal((await cli(["query", sql, "-f", "TSV", ...database], cwd)).stdout, `0\t${stored}\n`);
});
