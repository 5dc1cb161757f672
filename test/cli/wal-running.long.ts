import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { segmentNumber } from "../../src/wal/format.js";
import { FolderLock } from "../../src/wal/lock.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import { CliProcess, type CliRun, cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { promised } from "./cli-json.js";

const cwd = await temporaryFolder({});
await layMigrated(join(cwd, "data", "clickhouse"));
const SET = ["admin.listen=127.0.0.1:0", "recorder.id=desk-1", "wal.segment=1MiB"];
// Orders are sent late, so that they are pending.
const SLOW = ["flush.age=1m", "flush.rows=100000", "flush.bytes=8MiB"].map((set) => `tables.orders.${set}`);
const serve = new CliProcess(["serve", ...[...SET, ...SLOW].flatMap((set) => ["--set", set])], cwd);
after(() => serve.child.kill("SIGKILL"));
const [, admin] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
await serve.printed(/Ctrl-C stores/);
const token = readFileSync(join(cwd, "data", "admin-token"), "utf8").trim();
const DIR = join(cwd, "data", "wal");

/** Posts so many orders, which are in the log then. */
async function post(mark: string, rows: number): Promise<void> {
  const order = { ts: new Date(), strategy: "s", symbol: "X", side: "buy", qty: "1", status: "new" };
  const lines = Array.from({ length: rows }, (_, row) =>
    JSON.stringify({ ...order, client_order_id: `${mark}-${row}-${"x".repeat(500)}` }),
  );
  const answer = await fetch(`${admin}/v1/ingest/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
  assert.equal(answer.status, 200, await answer.text());
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
async function json(command: string, ...args: string[]): Promise<CliRun & { readonly json: any }> {
  const run = await cli(["--json", ...command.split(" "), ...args], cwd);
  return { ...run, json: JSON.parse(run.stdout || run.stderr) };
}

async function count(): Promise<number> {
  return Number((await cli(["query", "--format", "TSV", "SELECT count() FROM orders"], cwd)).stdout);
}

test("the log of a running service is repaired by that service, and a dry run tells no more than it does then", async () => {
  for (let request = 0; request < 6; request += 1) await post(`r${request}`, 1000);
  const segments = readdirSync(DIR).flatMap((name) => (segmentNumber(name) === undefined ? [] : [name]));
  assert.ok(segments.length > 2, `${segments.length} segments`);
  const path = join(DIR, segments.sort()[0]!);
  const { place } = readIndex(nodeDisk, path).find(({ record }) => record.kind === "rows")!;
  const bytes = readFileSync(path);
  bytes[place.offset + place.length - 40]! ^= 1;
  writeFileSync(path, bytes);
  const dry = await json("wal repair", "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  promised("wal repair", dry.stdout);
  assert.deepEqual([dry.json.closed, dry.json.torn, dry.json.damage.length], [[], [], 1]);
  const mended = await json("wal repair");
  assert.deepEqual(mended.json, { ...dry.json, dryRun: false });
  assert.equal(readdirSync(join(DIR, "quarantine")).length, 1);
  const again = await cli(["wal", "repair"], cwd);
  assert.deepEqual([again.code, again.stdout], [0, "nothing to mend\n"]);
});

test("its pending rows are not purged unless that is forced, then they are gone and told", async () => {
  await post("late", 1000);
  const refused = await json("wal purge");
  assert.equal(refused.code, 1, refused.stdout);
  promised("wal purge", refused.stdout);
  const forced = await json("wal purge", "--force");
  assert.equal(forced.code, 0, forced.stderr);
  promised("wal purge", forced.stdout);
  const given = forced.json.pending.find(({ table }: { table: string }) => table === "orders").pending;
  assert.ok(given >= 1000, `${given}`);
  assert.equal(
    (await json("wal ls")).json.segments.filter(({ state }: { state: string }) => state === "closed").length,
    0,
  );
  await post("after", 10);
  const flushed = await json("flush");
  assert.equal(flushed.code, 0, flushed.stderr);
  assert.equal(await count(), 7010 - given);
  const { stdout } = await cli(
    [
      "query",
      "--format",
      "TSV",
      "SELECT sum(rows) FROM system_events WHERE kind = 'data_gap' AND attributes['reason'] = 'purged' AND attributes['table'] = 'orders'",
    ],
    cwd,
  );
  assert.equal(stdout, `${given}\n`);
  const audited = await cli(
    [
      "query",
      "--format",
      "TSV",
      "SELECT count() FROM system_events WHERE kind = 'admin' AND message LIKE 'POST /api/wal/purge%'",
    ],
    cwd,
  );
  assert.equal(audited.stdout, "2\n");
});

test("wal replay of its own log has it try at once; another's log is stored beside it, and nobody takes it for a clash", async () => {
  await post("own", 5);
  const before = await count();
  const other = join(await temporaryFolder({}), "wal");
  const foreign = await temporaryFolder({});
  await layMigrated(join(foreign, "data", "clickhouse"));
  const theirs = new CliProcess(
    [
      "serve",
      ...["admin.listen=127.0.0.1:0", "recorder.id=desk-2", ...SLOW].flatMap((set) => ["--set", set]),
    ],
    foreign,
  );
  after(() => theirs.child.kill("SIGKILL"));
  const [, url] = await theirs.printed(/status\s+(http:\/\/\S+?)\//);
  await theirs.printed(/Ctrl-C stores/);
  const secret = readFileSync(join(foreign, "data", "admin-token"), "utf8").trim();
  const row = {
    ts: new Date(),
    client_order_id: "their-1",
    strategy: "s",
    symbol: "X",
    side: "buy",
    qty: "1",
    status: "new",
  };
  const taken = await fetch(`${url}/v1/ingest/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/x-ndjson" },
    body: JSON.stringify(row),
  });
  assert.equal(taken.status, 200);
  theirs.child.kill("SIGKILL");
  await theirs.ended();
  cpSync(join(foreign, "data", "wal"), other, { recursive: true });

  const replayed = await json("wal replay", "--dir", other);
  assert.equal(replayed.code, 0, replayed.stderr);
  const orders = replayed.json.tables.find(({ table }: { table: string }) => table === "orders");
  assert.deepEqual([orders.rows, orders.stored, orders.left], [1, 1, 0]);
  const own = await json("wal replay", "--dir", DIR);
  assert.equal(own.code, 0, own.stderr);
  assert.equal(own.json.service, admin);
  assert.equal(await count(), before + 6);

  const theirSql =
    "SELECT client_order_id, uniqExact(run) FROM orders WHERE recorder = 'desk-2' GROUP BY ALL";
  const { stdout } = await cli(["query", "--format", "TSV", theirSql], cwd);
  assert.equal(stdout, "their-1\t1\n");
  assert.doesNotMatch(serve.stderr, /recorder_clash/);
});

test("a log that a recorder without such a service holds is refused, a dry run as well, with what to do", async () => {
  const elsewhere = join(await temporaryFolder({}), "wal");
  cpSync(DIR, elsewhere, { recursive: true, filter: (source) => !source.endsWith("/lock") });
  const lock = await FolderLock.take(elsewhere);
  try {
    for (const args of [["repair"], ["repair", "--dry-run"], ["purge", "--force"]]) {
      const beside = await cli(["wal", ...args, "--dir", elsewhere], cwd);
      assert.equal(beside.code, 1);
      assert.match(beside.stderr, /409: the log of this service is in .*, not in /);
      const alone = await cli(
        ["--set", "data_dir=none", "--set", "admin.listen=127.0.0.1:2", "wal", ...args, "--dir", elsewhere],
        cwd,
      );
      assert.equal(alone.code, 1);
      assert.match(
        alone.stderr,
        /held by process \d+, .*no service of this configuration answers: stop that recorder first/,
      );
    }
  } finally {
    await lock.release();
  }
});
