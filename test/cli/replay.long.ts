import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { Recorder } from "../../src/recorder.js";
import { startLogged } from "../admin/logged-service.js";
import { recorderOptions, startTables } from "../intake/fixture.js";
import { CliProcess, type CliRun } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";

const clickhouse = await startTables({ after });
const ROWS = 300;
/** Nothing listens there. */
const NOBODY = "127.0.0.1:2";

function order(id: string): Record<string, unknown> {
  return {
    ts: BigInt(Date.now()) * 1_000_000n,
    ...{ client_order_id: id, strategy: "s", symbol: "BTCUSDT", side: "buy", qty: "1", status: "new" },
  };
}

function offer(recorder: Recorder, mark: string): void {
  for (let row = 0; row < ROWS; row += 1) assert.ok(recorder.table("orders").offer(order(`${mark}-${row}`)));
}

async function countOf(mark: string): Promise<number> {
  const sql = `SELECT count() AS n FROM orders WHERE startsWith(client_order_id, '${mark}-')`;
  return Number((await clickhouse.rows<{ n: string }>(sql))[0]!.n);
}

async function run(folder: string, admin: string, ...args: string[]): Promise<CliRun> {
  const { url, user, password } = clickhouse.options;
  const set = {
    data_dir: folder,
    "admin.listen": admin,
    "admin.token_file": join(folder, "token"),
    "clickhouse.url": url,
    "clickhouse.user": user,
    "clickhouse.database": "coldpath",
  };
  const given = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: password ?? "" };
  return await new CliProcess([...given, ...args], folder, env).ended();
}

test("replay --wait tells why a running service's table stays paused, and tries at once when the cause is gone", async (t) => {
  const service = await startLogged(clickhouse, await temporaryFolder(t));
  t.after(() => service.close());
  const admin = new URL(service.url).host;
  await clickhouse.command("RENAME TABLE orders TO orders_away");
  offer(service.recorder, "paused");
  await service.recorder.durable();
  const paused = await run(service.folder, admin, "replay", "--wait");
  assert.equal(paused.code, 1, paused.stderr);
  assert.match(paused.stdout, new RegExp(`^orders +${ROWS} +${ROWS}$`, "m"));
  assert.match(paused.stdout, /^orders is paused: 60: .*orders/m);
  await clickhouse.command("RENAME TABLE orders_away TO orders");
  const through = await run(service.folder, admin, "--json", "replay", "--wait");
  assert.equal(through.code, 0, through.stderr);
  const { tables } = JSON.parse(through.stdout);
  assert.deepEqual(tables, [{ table: "orders", rows: ROWS, left: 0 }]);
  assert.equal(await countOf("paused"), ROWS);
  const nothing = await run(service.folder, admin, "replay");
  assert.deepEqual([nothing.code, nothing.stdout], [0, "nothing is pending\n"]);
});

test("replay stores what a stopped recorder left, without a dropped column if told so, and refuses a log that somebody holds", async (t) => {
  const folder = await temporaryFolder(t);
  const options = recorderOptions(clickhouse, join(folder, "dead-letters"));
  await clickhouse.command("ALTER TABLE orders ADD COLUMN note Nullable(String)");
  let pause = (): void => {};
  const paused = new Promise<void>((resolve) => {
    pause = resolve;
  });
  const recorder = await Recorder.open({
    ...options,
    report: ({ kind }) => kind === "paused" && pause(),
    tables: { orders: { ...options.tables["orders"]!, class: "critical", durability: "wal" } },
    wal: {
      ...{ dir: join(folder, "wal"), commit: 2, segment: 1 << 20, max: 1 << 26, reserve: 1 << 16 },
      emergencyDisk: 1,
    },
  });
  await clickhouse.command("ALTER TABLE orders DROP COLUMN note");
  offer(recorder, "stopped");
  recorder.table("orders").offer({ ...order("stopped-noted"), note: "by hand" });
  await paused;
  const held = await run(folder, NOBODY, "replay");
  assert.equal(held.code, 1, held.stdout);
  assert.match(held.stderr, /held by process \d+/);
  await recorder.close({ deadlineMs: 0 });

  const rows = ROWS + 1;
  const refused = await run(folder, NOBODY, "replay");
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(
    refused.stdout,
    new RegExp(`^orders +${rows} +0 +0 +${rows}\\norders is paused: 16: .*note`, "m"),
  );
  const through = await run(folder, NOBODY, "replay", "--without", "orders.note");
  assert.equal(through.code, 0, through.stderr);
  assert.match(through.stdout, new RegExp(`^orders +${rows} +${rows} +0 +0$`, "m"));
  assert.equal(await countOf("stopped"), rows);
  const [shown, retried] = [
    await run(folder, NOBODY, "dead-letter", "show"),
    await run(folder, NOBODY, "dead-letter", "retry", "--all"),
  ];
  assert.match(shown.stdout, /COLUMN_LEFT_OUT: orders has no column note; .*\n {2}\{.*"note":"by hand"/);
  assert.equal(retried.code, 1);
  assert.match(retried.stdout, /orders: 0 rows stored, 1 letters stay\n.*its row is stored/);
});
