import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { ColdpathError } from "../../src/base/errors.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { ClickHouseError, UnreachableError } from "../../src/clickhouse/error.js";

const SIGN = { "x-clickhouse-query-id": "q" };
const TAG = "0123456789abcdef";
const MEMORY = "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)";

/** A client of a server that answers every request with `answer`. */
async function clientOf(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  credentials: { user: string; password?: string } = { user: "default" },
): Promise<ClickHouse> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new ClickHouse({ url: `http://127.0.0.1:${port}`, database: "default", ...credentials });
  t.after(async () => {
    await client.close();
    server.close();
  });
  return client;
}

function answering(status: number, headers: Record<string, string>, body: string) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };
}

async function drained(client: ClickHouse): Promise<string> {
  let text = "";
  for await (const chunk of await client.stream("SELECT 1")) text += String(chunk);
  return text;
}

function tagged(text: string): string {
  return `1\n\r\n__exception__\r\n${TAG}\r\n${text}\n${text.length + 1} ${TAG}\r\n__exception__\r\n`;
}

const withTag = { ...SIGN, "x-clickhouse-exception-tag": TAG };

test("an exception under a 200 is an error, whatever its kind and wherever it stands", async (t) => {
  const errno = "Code: 74. DB::ErrnoException: Cannot read. (CANNOT_READ_FROM_FILE_DESCRIPTOR)\n";
  for (const [headers, body, code] of [
    [SIGN, `${MEMORY}\n`, 241],
    [SIGN, errno, 74],
    [SIGN, `1\n2\n${MEMORY}\n`, 241],
    [withTag, tagged(MEMORY), 241],
  ] as const) {
    const client = await clientOf(t, answering(200, headers, body));
    const expected = { name: "ClickHouseError", clickhouseCode: code };
    await assert.rejects(client.text("SELECT 1"), expected, body);
    await assert.rejects(client.rows("SELECT 1"), expected, body);
    await assert.rejects(drained(client), expected, body);
    await assert.rejects(client.insert({ sql: "INSERT", body: Buffer.from("x") }), ColdpathError, body);
  }
});

test("an announced exception that cannot be read is an error all the same", async (t) => {
  const client = await clientOf(t, answering(200, withTag, tagged("garbage")));
  await assert.rejects(client.text("SELECT 1"), UnreachableError);
  await assert.rejects(drained(client), UnreachableError);
});

test("rows that are no JSON are an error of the answer, not of the program", async (t) => {
  const cut = await clientOf(t, answering(200, SIGN, '{"a":1}\n{"a":'));
  await assert.rejects(cut.rows("SELECT 1"), UnreachableError);
  const unnamed = await clientOf(t, answering(200, SIGN, "Code: 241. DB::Exception: Memory limit exceeded"));
  await assert.rejects(unnamed.rows("SELECT 1"), ClickHouseError);
});

test("text that only quotes an exception is data", async (t) => {
  const body = `${MEMORY}\tin the log of yesterday\n`;
  const client = await clientOf(t, answering(200, SIGN, body));
  assert.equal(await client.text("SELECT 1"), body);
  assert.equal(await drained(client), body);
});

test("a page of something in between is no answer of ClickHouse, whatever it quotes", async (t) => {
  for (const status of [200, 404, 502]) {
    const client = await clientOf(t, answering(status, {}, `<html>${MEMORY}</html>`));
    await assert.rejects(client.text("SELECT 1"), UnreachableError, String(status));
  }
  const odd = await clientOf(t, answering(500, { "x-clickhouse-exception-code": "many" }, "?"));
  await assert.rejects(odd.text("SELECT 1"), UnreachableError);
});

test("an answer cut off in the middle fails the stream with an error of ours", async (t) => {
  const client = await clientOf(t, (_request, response) => {
    response.writeHead(200, { ...SIGN, "content-length": "1000" }).write("1\n2\n", () => response.destroy());
  });
  await assert.rejects(drained(client), UnreachableError);
  await assert.rejects(client.text("SELECT 1"), UnreachableError);
});

test("a connection that was closed while this process stood still is not used again", async (t) => {
  const sockets = new Set<Socket>();
  const client = await clientOf(t, ({ socket }, response) => {
    sockets.add(socket);
    response.writeHead(200, SIGN).end("1\n");
  });
  // The second takes a connection of its own, as that of the first is not free at once.
  for (const _ of [1, 2]) assert.equal(await client.text("SELECT 1"), "1\n");
  // In the turn of the answer: nobody looks at the connections before the next request.
  for (const socket of sockets) socket.destroy();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  assert.equal(await client.text("SELECT 1"), "1\n");
  assert.equal(sockets.size, 3);
});

test("a deadline, an abort and an abort before the start are errors of ours", async (t) => {
  const client = await clientOf(t, () => {});
  await assert.rejects(client.text("SELECT 1", { timeoutMs: 20 }), /no answer before the deadline/);
  await assert.rejects(client.text("SELECT 1", { signal: AbortSignal.abort() }), UnreachableError);
  const controller = new AbortController();
  const running = client.text("SELECT 1", { signal: controller.signal });
  controller.abort();
  await assert.rejects(running, UnreachableError);
});

test("an endpoint that says nothing for 10 s is passed over at the first contact", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const listener = createServer(() => {}).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => listener.closeAllConnections());
  t.after(() => listener.close());
  const second = await clientOf(t, answering(200, SIGN, "1000\n"));
  const silent = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const client = new ClickHouse({ url: [silent, second.endpoint], database: "default", user: "default" });
  t.after(() => client.close());
  const connecting = client.connect();
  await once(listener, "request");
  t.mock.timers.tick(10_000);
  assert.equal((await connecting).endpoint, second.endpoint);
});

test("requests leave nothing behind in the signal of their caller", async (t) => {
  const client = await clientOf(t, answering(200, SIGN, "1\n"));
  const { signal } = new AbortController();
  for (let i = 0; i < 20; i++) await client.text("SELECT 1", { signal });
  await drained(client);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a password reaches ClickHouse as UTF-8, and one that no header can carry is refused at once", async (t) => {
  let seen = "";
  const password = "pä€ss";
  const client = await clientOf(
    t,
    (request, response) => {
      seen = Buffer.from(String(request.headers["x-clickhouse-key"]), "latin1").toString("utf8");
      response.writeHead(200, SIGN).end("1\n");
    },
    { user: "default", password },
  );
  await client.text("SELECT 1");
  assert.equal(seen, password);
  assert.throws(() => new ClickHouse({ url: "http://x", user: "u", password: "a\nb", database: "d" }), {
    code: "CONFIG_INVALID",
  });
});
