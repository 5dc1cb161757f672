import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { ClickHouse } from "../../src/clickhouse/client.js";
import type { WalOptions } from "../../src/recorder.js";
import { startTables } from "../intake/fixture.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";
import { type LoggedService, startLogged } from "./logged-service.js";

const CHILD = fileURLToPath(new URL("./service-child.js", import.meta.url));
const clickhouse = await startTables({ after });

interface Answer {
  readonly status: number;
  readonly body: {
    readonly accepted?: number;
    readonly rejected?: number;
    readonly error?: { message: string };
  };
  readonly text: string;
  readonly replayed: boolean;
  readonly retryAfter: string | null;
}

type Send = (
  key: string | undefined,
  body: string | Buffer,
  more?: { readonly table?: string; readonly headers?: Record<string, string> },
) => Promise<Answer>;

function sender(url: string, token: string): Send {
  return async (key, body, { table = "orders", headers = {} } = {}) => {
    const answer = await fetch(`${url}/v1/ingest/${table}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/x-ndjson",
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...headers,
      },
      body,
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: JSON.parse(text) as Answer["body"],
      text,
      replayed: answer.headers.get("idempotency-replayed") === "true",
      retryAfter: answer.headers.get("retry-after"),
    };
  };
}

interface Running extends LoggedService {
  readonly send: Send;
}

async function start(
  t: { after(fn: () => Promise<void>): void },
  wal: Partial<WalOptions> = {},
  folder: string | undefined = undefined,
): Promise<Running> {
  const service = await startLogged(clickhouse, folder ?? (await temporaryFolder(t)), wal);
  t.after(() => service.close());
  return { ...service, send: sender(service.url, service.token) };
}

/** Serves all tests that need no log of their own. */
const shared = await start({ after });

function order(id: string, more = ""): string {
  return `{"ts":"2026-01-05T09:30:00Z","client_order_id":"${id}","strategy":"s","symbol":"X","side":"buy","qty":"1.5","status":"new"${more}}\n`;
}

/** The oracle: how often each order is stored, by plain SQL. */
async function stored(prefix: string): Promise<Record<string, number>> {
  const rows = await clickhouse.rows<{ id: string; n: string }>(
    `SELECT client_order_id AS id, count() AS n FROM orders WHERE startsWith(client_order_id, '${prefix}')
     GROUP BY id ORDER BY id`,
  );
  return Object.fromEntries(rows.map(({ id, n }) => [id, Number(n)]));
}

test("a request sent again under its key gets its answer again, and its rows are stored once", async () => {
  const { send, recorder, folder } = shared;
  const body = `${order("a-1")}${order("a-2", ',"oops":1')}${order("a-3")}`;
  const first = await send("key-1", body);
  assert.deepEqual([first.status, first.replayed], [200, false]);
  assert.deepEqual([first.body.accepted, first.body.rejected], [2, 1]);
  for (const headers of [{}, { "content-encoding": "gzip" }]) {
    const again = await send("key-1", "content-encoding" in headers ? gzipSync(body) : body, { headers });
    assert.deepEqual([again.status, again.text, again.replayed], [200, first.text, true]);
  }
  await recorder.flush();
  assert.deepEqual(await stored("a-"), { "a-1": 1, "a-3": 1 });
  const letters = await readFile(join(folder, "dead-letters", `orders.${recorder.run}.ndjson`), "utf8");
  assert.equal(letters.trimEnd().split("\n").length, 1, "the refused row is kept once");
});

test("a key that was used for something else, or means nothing, is refused and takes no row", async () => {
  const { send, recorder } = shared;
  assert.equal((await send("k", order("b-1"))).status, 200);
  const market =
    '{"ts_exchange":"2024-05-01T00:00:00Z","ts_local":"2024-05-01T00:00:00Z","symbol":"B","kind":"quote"}\n';
  for (const [key, body, table, status, message] of [
    ["k", order("b-2"), "orders", 422, /another body or for another table/],
    ["k", order("b-1"), "fills", 422, /another body or for another table/],
    ["with space", order("b-3"), "orders", 400, /1 to 255 visible ASCII/],
    ["x".repeat(256), order("b-4"), "orders", 400, /1 to 255 visible ASCII/],
    [
      "m",
      market,
      "market_data",
      400,
      /needs a table with a log, and tables\.market_data\.durability is not wal/,
    ],
    ["n", order("b-5"), "order", 404, /did you mean orders/],
  ] as const) {
    const answer = await send(key, body, { table });
    assert.equal(answer.status, status, key);
    assert.match(answer.body.error!.message, message);
  }
  assert.equal((await send("x".repeat(255), order("b-6"))).status, 200);
  await recorder.flush();
  assert.deepEqual(await stored("b-"), { "b-1": 1, "b-6": 1 });
});

test("of many requests with one key at once, one is taken and the others are told to come again or what it was told", async () => {
  const { send, recorder } = shared;
  const body = order("c-1").repeat(50);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send("same", body)));
  assert.equal(answers.filter(({ status, replayed }) => status === 200 && !replayed).length, 1);
  for (const { status, replayed, retryAfter } of answers)
    assert.ok(status === 200 || (status === 409 && retryAfter === "1" && !replayed), `${status}`);
  assert.equal((await send("same", body)).replayed, true);
  await recorder.flush();
  assert.deepEqual(await stored("c-"), { "c-1": 50 });
});

test("a request that is cut off leaves its key free and no row behind", async () => {
  const { send, recorder, url, token } = shared;
  await new Promise<void>((resolve) => {
    const cut = httpRequest(`${url}/v1/ingest/orders`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/x-ndjson",
        "content-length": "10000",
        "idempotency-key": "cut",
      },
    });
    cut.on("error", () => {});
    cut.on("close", resolve);
    cut.write(order("d-1"));
    const once = (): unknown =>
      recorder.keys!.find("cut").kind === "in_progress" ? cut.destroy() : setImmediate(once);
    once();
  });
  await until("the key's release", () => recorder.keys!.find("cut").kind === "unknown");
  assert.deepEqual((await send("cut", order("d-2"))).body.accepted, 1);
  await recorder.flush();
  assert.deepEqual(await stored("d-"), { "d-2": 1 });
});

test("while ClickHouse is away rows are safe in the log, and stored when it is back", async (t) => {
  const { url, user, password } = clickhouse.options;
  const proxy = await FaultProxy.start({ after }, url as string);
  const behind = new ClickHouse({ url: proxy.url, user, password: password!, database: "coldpath" });
  const service = await startLogged(behind, await temporaryFolder(t));
  t.after(async () => {
    await service.close();
    await behind.close();
  });
  await proxy.refuse();
  const send = sender(service.url, service.token);
  for (const key of ["j-1", "j-1", undefined]) assert.equal((await send(key, order("j-1"))).status, 200);
  assert.deepEqual(await stored("j-"), {});
  await proxy.accept();
  await service.recorder.flush();
  assert.deepEqual(await stored("j-"), { "j-1": 2 });
});

test("a key is free again after its time", async (t) => {
  const { send, recorder } = await start(t, { keys: { ttl: 100, memory: 1 << 20 } });
  assert.equal((await send("short", order("e-1"))).status, 200);
  await until("the end of the key's time", () => recorder.keys!.find("short").kind === "unknown");
  const later = await send("short", order("e-2"));
  assert.deepEqual([later.status, later.replayed], [200, false]);
  await recorder.flush();
  assert.deepEqual(await stored("e-"), { "e-1": 1, "e-2": 1 });
});

test("an answer outlives the segment of the log that it stands in", async (t) => {
  const first = await start(t, { segment: 1 << 14 });
  const keys = Array.from({ length: 12 }, (_, i) => `i-${i}`);
  for (const key of keys) assert.equal((await first.send(key, order(key).repeat(30))).status, 200);
  await first.recorder.flush();
  const { coveredUpTo } = first.recorder.keys!;
  assert.ok(coveredUpTo > 0, "some were saved before the end");
  await first.recorder.close({ deadlineMs: 5000 });
  const segments = (await readdir(join(first.folder, "wal"))).filter((name) => name.endsWith(".wal"));
  assert.ok(segments.length > 2);
  // What the recorder does itself, minutes later.
  await rm(join(first.folder, "wal", segments.sort()[0]!));
  const { send, recorder } = await start(t, { segment: 1 << 14 }, first.folder);
  for (const key of keys) assert.equal((await send(key, order(key).repeat(30))).replayed, true, key);
  await recorder.flush();
  assert.ok(Object.values(await stored("i-")).every((n) => n === 30));
});

test("a hundred requests at once are answered when their rows are on disk", async () => {
  const { send, recorder } = shared;
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => send(i % 2 === 0 ? `f-${i}` : undefined, order(`f-${i}`))),
  );
  assert.ok(answers.every(({ status, body }) => status === 200 && body.accepted === 1));
  assert.equal(recorder.stats().wal!.unsyncedRows, 0);
  await recorder.flush();
  assert.equal(Object.values(await stored("f-")).filter((n) => n === 1).length, 100);
});

test("groups that end together share one sync", async () => {
  const { recorder } = shared;
  await recorder.flush();
  const writer = recorder.table("orders");
  const before = recorder.stats().wal!.syncSeconds.count;
  const ends = Array.from({ length: 100 }, (_, i) => {
    const group = writer.group()!;
    group.append(JSON.parse(order(`l-${i}`)) as Record<string, unknown>);
    return group.end({ key: `l-${i}`, bodyHash: "", status: 200, answer: "{}", at: Date.now() })!;
  });
  const ordinals = await Promise.all(ends);
  const syncs = recorder.stats().wal!.syncSeconds.count - before;
  // One is theirs; by the time all are told, the sink may have sealed batches of theirs, more on a slow machine.
  assert.ok(syncs >= 1 && syncs <= 10, `${syncs} syncs`);
  assert.deepEqual(
    ordinals,
    [...ordinals].sort((one, other) => one - other),
  );
  await recorder.flush();
  assert.equal(Object.keys(await stored("l-")).length, 100);
});

test("while the log takes no rows a request is told to come again, and nothing of it is taken", async (t) => {
  const { send, recorder, folder } = await start(t, { emergencyDisk: 1e-9 });
  const body = `${order("g-1")}oops\n`;
  const answer = await send("full", body);
  assert.deepEqual([answer.status, answer.retryAfter], [503, "1"]);
  assert.equal((await send(undefined, body)).status, 503);
  assert.equal(recorder.keys!.find("full").kind, "unknown");
  await assert.rejects(readFile(join(folder, "dead-letters", `orders.${recorder.run}.ndjson`)), /ENOENT/);
  await recorder.flush();
  assert.deepEqual(await stored("g-"), {});
});

test("a service killed before it has answered has taken all of a request or nothing, and knows which", async (t) => {
  const folder = await temporaryFolder(t);
  const { url, user, password } = clickhouse.options;
  const serve = async (crashAt: string): Promise<{ killed: Promise<unknown>; send: Send }> => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify({ url, user, password, folder })], {
      env: { ...process.env, COLDPATH_TEST_CRASH_AT: crashAt },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const killed = once(child, "exit").then(([, signal]) => assert.equal(signal, "SIGKILL"));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const service = JSON.parse(line.toString()) as { url: string; token: string };
    return { killed, send: sender(service.url, service.token) };
  };
  const body = Array.from({ length: 100 }, (_, i) => order(`h-${i}`)).join("");
  const early = await serve("wal.before_write");
  await assert.rejects(early.send("key", order("h-early")));
  await early.killed;
  const late = await serve("http.before_answer");
  await assert.rejects(late.send("key", body), "the key was free, and this time the rows are on disk");
  await late.killed;
  const { send, recorder } = await start(t, {}, folder);
  const answer = await send("key", body);
  assert.deepEqual([answer.status, answer.body.accepted, answer.replayed], [200, 100, true]);
  assert.equal((await send("key", order("h-early"))).status, 422);
  await recorder.replayed();
  const found = await stored("h-");
  assert.equal(Object.keys(found).length, 100);
  assert.ok(Object.values(found).every((n) => n === 1));
});
