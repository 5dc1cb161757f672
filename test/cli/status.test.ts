import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { StatusReport } from "../../src/admin/status-report.js";
import { startLogged } from "../admin/logged-service.js";
import { startTables } from "../intake/fixture.js";
import { CliProcess } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { promised } from "./cli-json.js";

const clickhouse = await startTables({ after });
const ROWS = 300;

function status(folder: string, admin: string, ...args: string[]): CliProcess {
  const set = { data_dir: folder, "admin.listen": admin, "admin.token_file": join(folder, "token") };
  const given = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return new CliProcess([...given, "status", ...args], folder);
}

test("status shows where the tables of a running service stand, as text, as JSON and again and again", async (t) => {
  const service = await startLogged(clickhouse, await temporaryFolder(t));
  t.after(() => service.close());
  const admin = new URL(service.url).host;
  for (let row = 0; row < ROWS; row += 1)
    service.recorder.table("orders").offer({
      ts: BigInt(Date.now()) * 1_000_000n,
      ...{
        client_order_id: `o${row}`,
        strategy: "s",
        symbol: "BTCUSDT",
        side: "buy",
        qty: "1",
        status: "new",
      },
    });
  await service.recorder.table("orders").rejected("{}", new Error("no"));
  await service.recorder.flush();
  const watching = status(service.folder, admin, "--json", "--watch");
  const [shown, told] = [status(service.folder, admin), status(service.folder, admin, "--json")];
  const text = await shown.ended();
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^recorder .*, ClickHouse up$/m);
  assert.match(text.stdout, /^log (?:ok|slow: .*); 0 rows pending, 1 MiB in 1 segment/m);
  assert.match(text.stdout, /^orders +[\d,]+ +0% +\d+\.\d s +300 +0 +0 +0 +1 +0 +\d+% +0$/m);
  const { tables, conditions, link } = promised("status", (await told.ended()).stdout) as StatusReport;
  const { offered, refused, stored, conservation } = tables["orders"]!;
  assert.deepEqual([offered, refused, stored], [ROWS + 1, { input_rejected: 1 }, ROWS]);
  assert.deepEqual([conservation.holds, conditions, link.state], [true, [], "up"]);
  await watching.printed(/^\{.*\}\n\{.*\}\n/);
  const { code, stdout } = await watching.stop();
  assert.equal(code, 0);
  for (const line of stdout.trimEnd().split("\n")) assert.equal(JSON.parse(line).tables.orders.stored, ROWS);
});

test("status says that no recorder answers, and where it looked", async (t) => {
  const folder = await temporaryFolder(t);
  const [text, json] = [status(folder, "127.0.0.1:2"), status(folder, "127.0.0.1:2", "--json")];
  const { code, stdout, stderr } = await text.ended();
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^coldpath: no recorder answers at http:\/\/127\.0\.0\.1:2: start one with coldpath serve/,
  );
  const told = await json.ended();
  assert.equal(told.code, 1);
  assert.equal(JSON.parse(told.stderr).error.code, "SERVICE_ABSENT");
});

test("without a service status tells what its files hold: rows of the log, dead letters", async (t) => {
  const stopped = await startLogged(clickhouse, await temporaryFolder(t));
  await clickhouse.command("RENAME TABLE orders TO orders_away");
  t.after(() => clickhouse.command("RENAME TABLE orders_away TO orders"));
  const order = { client_order_id: "o", strategy: "s", symbol: "X", side: "buy", qty: "1", status: "new" };
  for (let row = 0; row < 3; row += 1)
    stopped.recorder.table("orders").offer({ ts: BigInt(Date.now()) * 1_000_000n, ...order });
  await stopped.recorder.table("orders").rejected("{}", new Error("no"));
  await stopped.recorder.durable();
  await stopped.close();
  const { code, stdout, stderr } = await status(stopped.folder, "127.0.0.1:2").ended();
  assert.equal(code, 1);
  assert.match(stderr, /no recorder answers/);
  assert.match(stdout, /^its files hold:\n {2}log .*: 3 rows of orders pending: .*coldpath replay$/m);
  assert.match(stdout, /^ {2}dead letters: 1 of orders$/m);
  const told = promised("status", (await status(stopped.folder, "127.0.0.1:2", "--json").ended()).stdout);
  const { service, files } = told as {
    service: null;
    files: { log: { pending: object }; deadLetters: object };
  };
  assert.deepEqual([service, files.log.pending, files.deadLetters], [null, { orders: 3 }, { orders: 1 }]);
});
