import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { CliProcess } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { until } from "../support/until.js";

interface Place {
  readonly clickhouse: ClickHouse;
  readonly proxy: FaultProxy;
  readonly start: (...args: string[]) => Promise<Served>;
}

interface Served {
  readonly process: CliProcess;
  /** Sends orders one by one until told to stop or nobody answers; gives the ids of those that were acknowledged. */
  readonly sendOrders: (mark: string, signal: AbortSignal) => Promise<string[]>;
}

async function startPlace(t: TestContext): Promise<Place> {
  const { engine, clickhouse } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start(t, engine.url);
  const cwd = await temporaryFolder(t);
  const given = ["--set", `clickhouse.url=${proxy.url}`, "--set", "admin.listen=127.0.0.1:0"];
  const start = async (...args: string[]): Promise<Served> => {
    const env = { COLDPATH_CLICKHOUSE_PASSWORD: engine.password };
    const serve = new CliProcess([...given, "serve", ...args], cwd, env);
    t.after(() => serve.child.kill("SIGKILL"));
    const [, url] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
    await serve.printed(/Ctrl-C stores/);
    const token = (await readFile(join(cwd, "data", "admin-token"), "utf8")).trim();
    return { process: serve, sendOrders: (mark, signal) => sendOrders({ url: url!, token, mark, signal }) };
  };
  return { clickhouse, proxy, start };
}

async function sendOrders(to: {
  url: string;
  token: string;
  mark: string;
  signal: AbortSignal;
}): Promise<string[]> {
  const acknowledged: string[] = [];
  const order = { strategy: "s", symbol: "X", side: "buy", qty: 1, status: "new" };
  for (let row = 0; !to.signal.aborted; row += 1) {
    const id = `${to.mark}-${row}`;
    const answer = await fetch(`${to.url}/v1/ingest/orders`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${to.token}` },
      body: JSON.stringify({ ...order, ts: new Date().toISOString(), client_order_id: id }),
    }).catch(() => undefined);
    // It takes no more.
    if (answer === undefined) break;
    if (answer.status === 200) acknowledged.push(id);
    await answer.text().catch(() => "");
  }
  return acknowledged;
}

/** Ids of the orders that are stored, with how often. */
async function stored(clickhouse: ClickHouse): Promise<Map<string, number>> {
  const sql = "SELECT client_order_id AS id, count() AS n FROM orders GROUP BY id";
  const rows = await clickhouse.rows<{ id: string; n: string }>(sql);
  return new Map(rows.map(({ id, n }) => [id, Number(n)]));
}

/** What was acknowledged is there, and nothing is there twice. */
async function assertStored(clickhouse: ClickHouse, acknowledged: readonly string[]): Promise<void> {
  const found = await stored(clickhouse);
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
    "acknowledged and not stored",
  );
  assert.deepEqual(
    [...found].filter(([, times]) => times !== 1),
    [],
    "stored twice",
  );
}

test("SIGTERM drains: what comes until then is stored before the end", async (t) => {
  const { clickhouse, start } = await startPlace(t);
  const { process: serve, sendOrders } = await start();
  const sending = sendOrders("drained", t.signal);
  await until("some orders", async () => (await stored(clickhouse)).size > 20);
  serve.child.kill("SIGTERM");
  const { code, stderr } = await serve.ended();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /storing what is held, for 30s at most; a second signal ends it at once/);
  assert.doesNotMatch(stderr, /in the log: the next start/);
  await assertStored(clickhouse, await sending);
});

for (const [first, second, code] of [
  ["SIGTERM", undefined, 0],
  ["SIGTERM", "SIGTERM", 143],
  ["SIGINT", "SIGINT", 130],
  ["SIGTERM", "SIGINT", 130],
] as const) {
  const what =
    second === undefined ? `${first} drains until its deadline` : `${second} after ${first} ends it at once`;
  test(`while ClickHouse is away ${what}, says what the log keeps, and the next start stores each acknowledged order once`, async (t) => {
    const { clickhouse, proxy, start } = await startPlace(t);
    const { process: serve, sendOrders } = await start("--drain", second === undefined ? "1s" : "10m");
    await proxy.refuse();
    const sending = sendOrders("away", t.signal);
    const also = sendOrders("beside", t.signal);
    await serve.printed(/"event":"(retry|link)"/);
    serve.child.kill(first);
    await serve.printed(/storing what is held/);
    if (second !== undefined) {
      assert.ok((await sending).length > 0, "some were acknowledged");
      const at = performance.now();
      serve.child.kill(second);
      await serve.ended();
      assert.ok(performance.now() - at < 10_000, "it does not wait for the deadline");
    }
    const ended = await serve.ended();
    const acknowledged = [...(await sending), ...(await also)];
    assert.equal(ended.code, code, ended.stderr);
    const told = /(\d+) rows? in the log/.exec(ended.stderr);
    assert.ok(told !== null && Number(told[1]) >= acknowledged.length, ended.stderr);
    assert.doesNotMatch(ended.stderr, /are lost/);

    await proxy.accept();
    const again = await start();
    await until("the orders", async () => (await stored(clickhouse)).size >= acknowledged.length);
    assert.equal((await again.process.stop()).code, 0);
    await assertStored(clickhouse, acknowledged);
  });
}
