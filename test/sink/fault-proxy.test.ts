import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FaultProxy } from "../support/fault-proxy.js";
import {
  answers,
  answersAfterStore,
  cutAnswer,
  cutBody,
  exception,
  Gate,
  hang,
  held,
  html,
  late,
  resetAfterStore,
  resetBeforeStore,
  slow,
} from "../support/fault-proxy-faults.js";

/** A server that keeps what it was sent, behind the proxy. */
async function setUp(t: TestContext) {
  const received: { url: string; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ url: request.url!, body: Buffer.concat(chunks).toString() });
      response.end("answer");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const proxy = await FaultProxy.start(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const post = async (sql: string, body = "0123456789"): Promise<string> => {
    const response = await fetch(`${proxy.url}/?query=${encodeURIComponent(sql)}&a=1`, {
      method: "POST",
      body,
    });
    return `${response.status} ${await response.text()}`;
  };
  return { proxy, received, post };
}

test("without a fault, requests and answers pass as they are", async (t) => {
  const { proxy, received, post } = await setUp(t);
  assert.equal(await post("INSERT INTO t"), "200 answer");
  assert.deepEqual(received, [{ url: "/?query=INSERT%20INTO%20t&a=1", body: "0123456789" }]);
  const [seen] = proxy.requests;
  assert.deepEqual([seen!.isInsert, seen!.status, seen!.fault], [true, 200, undefined]);
});

test("a fault befalls the n-th match, as often as asked, and other requests pass", async (t) => {
  const { proxy, post } = await setUp(t);
  proxy.on({ skip: 1, times: 2 }, answers(html(502), "busy"));
  const statuses: string[] = [];
  for (const sql of ["INSERT 1", "SELECT 1", "INSERT 2", "INSERT 3", "INSERT 4"])
    statuses.push((await post(sql)).slice(0, 3));
  assert.deepEqual(statuses, ["200", "200", "502", "502", "200"]);
  assert.deepEqual(
    proxy.requests.map((seen) => seen.fault),
    [undefined, undefined, "busy", "busy", undefined],
  );
});

test("a reset before the store leaves no trace on the server, one after it leaves the request", async (t) => {
  const { proxy, received, post } = await setUp(t);
  proxy.on({}, resetBeforeStore);
  await assert.rejects(post("INSERT 1"));
  assert.equal(received.length, 0);
  for (const fault of [resetAfterStore, cutAnswer]) {
    proxy.on({}, fault);
    await assert.rejects(post("INSERT 2"));
  }
  proxy.on({}, answersAfterStore(exception(202)));
  assert.match(await post("INSERT 2"), /^500 Code: 202/);
  assert.equal(received.length, 3);
});

test("a cut body arrives as a whole request with less in it", async (t) => {
  const { proxy, received, post } = await setUp(t);
  proxy.on({}, cutBody(0.5));
  assert.equal(await post("INSERT 1"), "200 answer");
  assert.equal(received[0]!.body, "01234");
});

test("a held request waits for its gate, a late one arrives after its client was reset", async (t) => {
  const { proxy, received, post } = await setUp(t);
  const gate = new Gate();
  proxy.on({}, held(gate));
  proxy.on({}, late(gate));
  const waiting = post("INSERT 1");
  await proxy.until(() => proxy.requests.length === 1);
  await assert.rejects(post("INSERT 2"));
  assert.equal(received.length, 0);
  gate.open();
  assert.equal(await waiting, "200 answer");
  await proxy.until(() => proxy.requests[1]!.status === 200);
  assert.equal(received.length, 2);
});

test("a slow request takes longer, a hanging one ends when its client gives up", async (t) => {
  const { proxy, post } = await setUp(t);
  proxy.on({}, slow(30));
  const startedAt = performance.now();
  await post("INSERT 1");
  assert.ok(performance.now() - startedAt >= 29);
  proxy.on({}, hang);
  await assert.rejects(
    fetch(`${proxy.url}/?query=INSERT`, { method: "POST", signal: AbortSignal.timeout(50) }),
  );
});

test("a closed port refuses connections until it is opened again, and what is away is seen as a reset", async (t) => {
  const { proxy, post } = await setUp(t);
  await proxy.refuse();
  await assert.rejects(
    post("SELECT 1"),
    (error: Error) => (error.cause as { code: string }).code === "ECONNREFUSED",
  );
  await proxy.accept();
  assert.equal(await post("SELECT 1"), "200 answer");
});

test("settings can be changed on the way", async (t) => {
  const { proxy, received, post } = await setUp(t);
  proxy.rewrite = (settings) => settings.set("a", "2");
  await post("INSERT 1");
  assert.match(received[0]!.url, /a=2/);
});
