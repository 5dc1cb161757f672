import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { ColdpathError } from "../../src/base/errors.js";
import { until } from "../support/until.js";
import { startBare } from "./bare-server.js";

test("a client that never ends its request does not hold up the close", async (t) => {
  const { admin } = await startBare(t);
  const client = connect(Number(new URL(admin.url).port), "127.0.0.1");
  client.on("error", () => {});
  t.after(() => client.destroy());
  client.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nPOST /v1/ingest/orders HTTP/1.1\r\n");
  await once(client, "data");
  const startedAt = performance.now();
  const gone = once(client, "close");
  await admin.close(100);
  await gone;
  assert.ok(performance.now() - startedAt < 20_000);
});

test("an internal error is logged with its cause and told to nobody", async (t) => {
  const { admin, logged } = await startBare(t);
  const answer = await fetch(`${admin.url}/api/status`);
  assert.equal(answer.status, 500);
  assert.deepEqual(await answer.json(), { error: { message: "internal error" } });
  const [line] = logged as { event: string; url: string; err: Error }[];
  assert.deepEqual(
    [line?.event, line?.url, line?.err.message],
    ["request_failed", "/api/status", "the recorder is broken"],
  );
});

test("unknown routes and broken addresses are guarded, and answered as any other error", async (t) => {
  const { admin, token } = await startBare(t);
  const authorization = `Bearer ${token}`;
  for (const [path, message] of [
    ["/nowhere", "there is no POST /nowhere"],
    ["/%zz", "'/%zz' is not a valid url component"],
  ] as const) {
    const refused = await fetch(`${admin.url}${path}`, { method: "POST" });
    assert.equal(refused.status, 401, path);
    const answer = await fetch(`${admin.url}${path}`, { method: "POST", headers: { authorization } });
    assert.deepEqual(await answer.json(), { error: { message } });
  }
});

test("a parameter that there is not, or that is given twice, is a mistake rather than everything", async (t) => {
  const { admin, token } = await startBare(t);
  const headers = { authorization: `Bearer ${token}` };
  for (const [method, path, message] of [
    ["POST", "/api/flush?tabel=orders", "there is no parameter tabel: expected table or wait"],
    ["POST", "/api/flush?wait=1&wait=2", "wait is given more than once"],
    ["POST", "/api/flush?wait=soon", "wait=soon: expected seconds, from 0 to 60"],
    ["POST", "/api/replay?without=orders", "without=orders: expected TABLE.COLUMN"],
    ["POST", "/api/replay?withuot=orders.qty", "there is no parameter withuot: expected without or dir"],
    ["GET", "/api/dead-letters?table=a&table=b", "table is given more than once"],
  ] as const) {
    const answer = await fetch(`${admin.url}${path}`, { method, headers });
    assert.deepEqual([answer.status, await answer.json()], [400, { error: { message } }], path);
  }
});

test("an error made for people is told as it is, whatever its kind", async (t) => {
  const retry = (): never => {
    throw new ColdpathError("SCHEMA_MISMATCH", "orders has no column qty: migrate it");
  };
  const deadLetters = { summary: async () => ({}), retry };
  const { admin, token, logged } = await startBare(t, { deadLetters });
  const answer = await fetch(`${admin.url}/api/dead-letters/retry`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"all":true}',
  });
  assert.equal(answer.status, 500);
  assert.deepEqual(await answer.json(), { error: { message: "orders has no column qty: migrate it" } });
  assert.equal(logged.length, 1);
});

test("a port in use is told with the way out", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  await assert.rejects(
    startBare(t, { listen: { host: "127.0.0.1", port } }),
    (error) =>
      error instanceof ColdpathError &&
      error.code === "ADDRESS_IN_USE" &&
      error.message.includes(`admin.listen 127.0.0.1:${port} is in use`) &&
      error.message.includes("--set admin.listen=127.0.0.1:0"),
  );
});

test("rows that come over HTTP are no acts to be written down", async (t) => {
  const { admin, token, events } = await startBare(t);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
  const taken = await fetch(`${admin.url}/v1/ingest/orders`, { method: "POST", headers, body: "{}" });
  assert.equal(taken.status, 500, "it reached the recorder, which is broken");
  await fetch(`${admin.url}/api/flush`, { method: "POST", headers });
  await until("the flush to be written down", () => events.all.length > 0);
  assert.deepEqual(
    events.all.map(({ message }) => message),
    ["POST /api/flush: failed, 500"],
  );
});
