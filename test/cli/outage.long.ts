import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { StatusReport } from "../../src/admin/status-report.js";
import { CliProcess, type CliRun } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";
import { promised } from "./cli-json.js";

interface Desk {
  /** Runs a command as an operator in the folder of the service would. */
  readonly coldpath: (...args: string[]) => Promise<CliRun>;
  /** Sends orders as a trading system does, and resolves when they are safe. */
  readonly orders: (mark: string, count: number) => Promise<void>;
  readonly countOf: (mark: string) => Promise<number>;
  readonly proxy: FaultProxy;
}

/** A service whose ClickHouse can be taken away. It holds orders for a minute unless told to send them. */
async function startDesk(t: TestContext): Promise<Desk> {
  const { engine, clickhouse } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start(t, engine.url);
  const cwd = await temporaryFolder(t);
  const set = {
    "clickhouse.url": proxy.url,
    "clickhouse.user": engine.user,
    "tables.orders.flush.age": "1m",
    // On any port: commands find it all the same.
    "admin.listen": "127.0.0.1:0",
  };
  const given = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: engine.password };
  const serve = new CliProcess([...given, "serve"], cwd, env);
  t.after(() => serve.child.kill("SIGKILL"));
  const [, url] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
  const token = (await readFile(join(cwd, "data", "admin-token"), "utf8")).trim();
  return {
    proxy,
    coldpath: (...args) => new CliProcess([...given, ...args], cwd, env).ended(),
    orders: async (mark, count) => {
      const order = {
        ...{ ts: new Date().toISOString(), strategy: "s", symbol: "X", side: "buy", qty: 1, status: "new" },
      };
      const lines = Array.from({ length: count }, (_, row) =>
        JSON.stringify({ ...order, client_order_id: `${mark}-${row}` }),
      );
      const { status } = await fetch(`${url}/v1/ingest/orders`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${token}` },
        body: lines.join("\n"),
      });
      assert.equal(status, 200);
    },
    countOf: async (mark) => {
      const sql = `SELECT count() AS n FROM orders WHERE startsWith(client_order_id, '${mark}-')`;
      return Number((await clickhouse.rows<{ n: string }>(sql))[0]!.n);
    },
  };
}

test("an outage is seen and ended by commands alone: status, a forced flush, the log that grows, a forced replay, the log that drains", async (t) => {
  const { coldpath, orders, countOf, proxy } = await startDesk(t);
  const pending = async (): Promise<number> =>
    (promised("status", (await coldpath("--json", "status")).stdout) as StatusReport).wal!.pending["orders"]!;

  await orders("held", 3);
  assert.equal(await countOf("held"), 0, "the batch is neither full nor old");
  assert.match((await coldpath("status")).stdout, /ClickHouse up\n/);
  const flushed = await coldpath("flush", "orders");
  assert.equal(flushed.code, 0, flushed.stderr);
  assert.match(flushed.stdout, /^table +held +left\norders +3 +0\ndone in \d+\.\d s\n$/);
  assert.equal(await countOf("held"), 3);

  await proxy.refuse();
  await orders("away", 5);
  const stuck = await coldpath("flush", "--wait", "300ms");
  assert.equal(stuck.code, 1);
  assert.match(stuck.stdout, /^orders +5 +5$/m);
  assert.match(stuck.stdout, /not done after \d+\.\d s: coldpath status says what is in the way/);
  await until("status to tell of the outage", async () =>
    /ClickHouse down for .*refused/.test((await coldpath("status")).stdout),
  );
  assert.equal(await pending(), 5);
  await orders("later", 7);
  assert.equal(await pending(), 12, "the log grows");

  await proxy.accept();
  const replayed = await coldpath("replay", "--wait");
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  assert.equal(await pending(), 0, "the log has drained");
  assert.deepEqual([await countOf("away"), await countOf("later")], [5, 7]);
  assert.equal((await coldpath("flush", "orders")).stdout, "nothing was held\n");
  await until("status to tell that it is over", async () =>
    /ClickHouse up\n/.test((await coldpath("status")).stdout),
  );
});

test("flush says where rows are when no recorder runs, and how long it may wait", async (t) => {
  const cwd = await temporaryFolder(t);
  const at = ["--set", "admin.listen=127.0.0.1:2"];
  const [absent, late] = [
    new CliProcess([...at, "flush"], cwd).ended(),
    new CliProcess([...at, "flush", "--wait", "2m"], cwd).ended(),
  ];
  assert.match(
    (await absent).stderr,
    /no recorder answers at .*:2: .* no rows are held in memory\. .*coldpath replay/,
  );
  assert.equal((await absent).code, 1);
  assert.match((await late).stderr, /--wait 2m: expected a duration up to 60s/);
  assert.equal((await late).code, 2);
});
