import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { request } from "undici";
import { FailedTokens } from "../../src/admin/failed-tokens.js";
import { OPERATIONS } from "../../src/admin/openapi/operations.js";
import { ManualClock } from "../support/clock.js";
import { until } from "../support/until.js";
import { type BareServer, startBare } from "./bare-server.js";

type Headers = Readonly<Record<string, string>>;

async function statusOf(
  { admin }: BareServer,
  path: string,
  headers: Headers,
  method: "GET" | "HEAD" | "POST" = "GET",
) {
  const { statusCode, body } = await request(`${admin.url}${path}`, { method, headers });
  await body.dump();
  return statusCode;
}

test("after ten wrong tokens from one address the next are told to wait, and the right one is let in all the while", async (t) => {
  const server = await startBare(t);
  const wrong = { authorization: "Bearer wrong" };
  for (let i = 0; i < 10; i += 1) assert.equal(await statusOf(server, "/api/replay", wrong, "POST"), 401);
  const { statusCode, headers, body } = await request(`${server.admin.url}/api/replay`, {
    method: "POST",
    headers: wrong,
  });
  await body.dump();
  assert.equal(statusCode, 429);
  assert.ok(Number(headers["retry-after"]) > 50);
  // It reaches the recorder, which is broken here.
  assert.equal(
    await statusOf(server, "/api/replay", { authorization: `Bearer ${server.token}` }, "POST"),
    500,
  );
  // Who has none is told what is missing.
  assert.equal(await statusOf(server, "/api/replay", {}, "POST"), 401);
  assert.deepEqual(
    server.logged.filter((line) => (line as { event: string }).event === "token_refused"),
    [{ event: "token_refused", peer: "127.0.0.1" }],
  );
});

test("wrong tokens are forgotten after a minute, and of a thousand addresses the first to fail", () => {
  const clock = new ManualClock();
  const first: string[] = [];
  const failed = new FailedTokens(clock, (peer) => first.push(peer));
  const waits = Array.from({ length: 12 }, () => failed.add("one"));
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 60]);
  assert.equal(failed.add("other"), 0);
  clock.advance(59_000);
  assert.equal(failed.add("one"), 1);
  clock.advance(1000);
  assert.equal(failed.add("one"), 0);
  assert.deepEqual(first, ["one", "other", "one"]);
  for (let i = 0; i < 10; i += 1) failed.add("one");
  for (let i = 0; i < 1000; i += 1) failed.add(`peer ${i}`);
  assert.equal(failed.add("one"), 0);
});

test("what a page of another site makes a browser send is refused; a link to the status page may be followed", async (t) => {
  const server = await startBare(t);
  for (const path of ["/api/history", "/api/events", "/healthz"]) {
    assert.equal(await statusOf(server, path, {}), 200, path);
    assert.equal(await statusOf(server, path, { "sec-fetch-site": "same-origin" }), 200, path);
    assert.equal(await statusOf(server, path, { "sec-fetch-site": "none" }), 200, path);
    for (const site of ["cross-site", "same-site"])
      assert.equal(await statusOf(server, path, { "sec-fetch-site": site }), 403, `${path} ${site}`);
    assert.equal(await statusOf(server, path, { origin: "http://evil.example" }), 403, path);
    assert.equal(await statusOf(server, path, { host: "evil.example" }), 403, path);
    assert.equal(await statusOf(server, path, { origin: server.admin.url }), 200, path);
  }
  const link = {
    accept: "text/html",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  assert.notEqual(await statusOf(server, "/", link), 403);
  assert.equal(await statusOf(server, "/", { ...link, "sec-fetch-dest": "iframe" }), 403);
  assert.equal(await statusOf(server, "/api/history", link), 403);
});

/** Each route, and one that there is not, with names for what varies in its address. */
const ROUTES = [...OPERATIONS, { method: "get", path: "/nowhere" } as const].map(({ method, path }) => ({
  method: method === "get" ? ("GET" as const) : ("POST" as const),
  path: path.replace(/\{\w+\}/, "orders"),
}));

test("no route answers a foreign Host, Origin or page, changes anything without the token, or is read without it beyond loopback", async (t) => {
  const near = await startBare(t);
  const far = await startBare(t, { listen: { host: "0.0.0.0", port: 0 } });
  const away = far.admin.url.replace("0.0.0.0", "127.0.0.1");
  assert.ok(ROUTES.length > 15);
  for (const { method, path } of ROUTES) {
    const where = `${method} ${path}`;
    const owner = { authorization: `Bearer ${near.token}` };
    for (const foreign of [
      { host: "evil.example" },
      { host: `evil.example:${new URL(near.admin.url).port}`, origin: near.admin.url },
      { origin: "http://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ] as Headers[])
      assert.equal(await statusOf(near, path, { ...owner, ...foreign }, method), 403, where);
    for (const wrong of [{}, { authorization: "Bearer wrong" }] as Headers[]) {
      const { statusCode, body } = await request(`${away}${path}`, { method, headers: wrong });
      await body.dump();
      assert.ok([401, 429].includes(statusCode), `${where} beyond loopback: ${statusCode}`);
      if (method === "GET" || path === "/api/query") continue;
      assert.ok([401, 429].includes(await statusOf(near, path, wrong, method)), where);
    }
  }
});

test("every answer is said to be what it is, for no other site, and not to be kept: pages, errors and the stream", async (t) => {
  const { admin } = await startBare(t);
  const foreign = { host: "evil.example" };
  for (const [path, headers] of [
    ["/", { accept: "text/html" }],
    ["/healthz", {}],
    ["/api/history", {}],
    ["/api/history", foreign],
    ["/nowhere", {}],
    ["/%zz", {}],
    ["/api/status", {}],
  ] as [string, Headers][]) {
    const { headers: answered, body } = await request(`${admin.url}${path}`, { headers });
    await body.dump();
    const safe = ["x-content-type-options", "cross-origin-resource-policy", "cache-control"];
    assert.deepEqual(
      safe.map((name) => answered[name]),
      ["nosniff", "same-origin", "no-store"],
      path,
    );
  }
});

test("a body that nobody asked for is not read: the connection ends", async (t) => {
  const { admin } = await startBare(t);
  const socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  const closed = once(socket, "close");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.write("POST /v1/ingest/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n{");
  await closed;
  assert.match(text, /^HTTP\/1.1 401 /);
  assert.match(text, /connection: close/i);
});

test("bytes that are no request, headers without end and a cut request are answered in a line, without a stack", async (t) => {
  const { admin } = await startBare(t);
  for (const [bytes, expected] of [
    ["\x16\x03\x01\x02\x00\x01\x00", /^HTTP\/1.1 400 Bad Request/],
    ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n", /^HTTP\/1.1 400 /],
    ["GET / HTTP/9.9\r\n\r\n", /^HTTP\/1.1 400 /],
    [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(100_000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
    [
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      /^HTTP\/1.1 400 /,
    ],
  ] as const) {
    const socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const closed = once(socket, "close");
    socket.write(bytes, "latin1");
    await closed;
    assert.match(text, expected);
    assert.match(text, /\{"error":\{"message":"[^"]+"\}\}$/);
    assert.doesNotMatch(text, /node_modules| at /);
  }
});

test("idle connections beyond the limit cost the oldest of them its place, never one that has shown the token", async (t) => {
  const server = await startBare(t);
  const { port } = new URL(server.admin.url);
  const open = async (): Promise<{ socket: Socket; isClosed: () => boolean }> => {
    const socket = connect(Number(port), "127.0.0.1");
    let closed = false;
    socket.on("error", () => {});
    socket.on("close", () => {
      closed = true;
    });
    t.after(() => socket.destroy());
    await once(socket, "connect");
    return { socket, isClosed: () => closed };
  };
  const owner = await open();
  owner.socket.write(
    `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${server.token}\r\n\r\n`,
  );
  await once(owner.socket, "data");
  const guests = [await open(), await open()];
  while (guests.length < 1281) guests.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  await until("the oldest is cut off", () => guests[0]!.isClosed());
  assert.equal(guests.at(-1)!.isClosed(), false);
  assert.equal(owner.isClosed(), false);
  assert.equal(await statusOf(server, "/healthz", {}), 200);
});
