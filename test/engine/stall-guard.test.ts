import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { cutStalled } from "../../src/engine/stall-guard.js";

const STALL_MS = 60;

/** A server under the guard, and its port. */
async function serve(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer((incoming, response) => {
    cutStalled(incoming, response, STALL_MS);
    handle(incoming, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("a body that stops coming is cut", async (t) => {
  const port = await serve(t, (incoming) => incoming.resume());
  const sending = request({ port, host: "127.0.0.1", method: "POST" });
  sending.write("the first part");
  const [error] = (await once(sending, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("an answer that nobody takes is cut", async (t) => {
  let cut: Promise<unknown> | undefined;
  const port = await serve(t, (incoming, response) => {
    incoming.resume();
    response.write(Buffer.alloc(64 * 2 ** 20));
    cut = once(response, "close");
  });
  const reading = request({ port, host: "127.0.0.1" });
  reading.on("error", () => {});
  reading.end();
  const [answer] = (await once(reading, "response")) as [IncomingMessage];
  answer.on("error", () => {});
  answer.pause();
  await cut;
});

test("a slow body, a slow reader and a long silence before the answer are not cut", async (t) => {
  const port = await serve(t, async (incoming, response) => {
    for await (const _ of incoming);
    // A statement that takes its time.
    await delay(5 * STALL_MS);
    response.end(Buffer.alloc(2 ** 20));
  });
  const sending = request({ port, host: "127.0.0.1", method: "POST" });
  for (let piece = 0; piece < 20; piece++) {
    sending.write("x");
    await delay(STALL_MS / 6);
  }
  sending.end();
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  assert.equal(bytes, 2 ** 20);
});
