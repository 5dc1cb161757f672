import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "../support/until.js";
import { Reader, startLive } from "./stream-reader.js";

test("a reader is told how things stand at once, and then of each second, each point of the history and each event", async (t) => {
  const server = await startLive(t);
  const reader = new Reader(t, server).read();
  await reader.has(/event: status\ndata: \{.*"adminUrl":"http:/);
  const before = reader.text.length;
  server.recorded.offered = 500;
  server.clock.advance(5000);
  await reader.has(/event: sample\ndata: \{.*"offeredRowsPerSecond":100,/);
  assert.equal(reader.text.slice(before).match(/event: status/g)?.length, 5);
  server.events.add({ kind: "resumed", level: "info", message: "orders takes batches again", fields: {} });
  await reader.has(/event: event\nid: \d+\ndata: \{.*"message":"orders takes batches again"/);
  assert.match(reader.text, /^HTTP\/1.1 200 OK\r\n(?:.*\r\n)*content-type: text\/event-stream/);
});

test("a reader that comes again gets the events that it missed, one that comes anew gets none", async (t) => {
  const server = await startLive(t);
  for (const message of ["first", "second", "third"])
    server.events.add({ kind: "resumed", level: "info", message, fields: {} });
  const { id } = server.events.all[0]!;
  const again = new Reader(t, server, [`Last-Event-ID: ${id}`]).read();
  await again.has(/"message":"third"/);
  assert.deepEqual(again.text.match(/"message":"\w+"/g), ['"message":"second"', '"message":"third"']);
  const anew = new Reader(t, server).read();
  await anew.has(/event: status/);
  assert.doesNotMatch(anew.text, /event: event/);
});

test("a reader that does not read is cut off, others read on", async (t) => {
  const server = await startLive(t);
  const slow = new Reader(t, server);
  const quick = new Reader(t, server).read();
  await Promise.all([once(slow.socket, "connect"), quick.has(/event: status/)]);
  const message = "x".repeat(200_000);
  for (let sent = 1; sent <= 100; sent += 1) {
    server.events.add({ kind: "resumed", level: "info", message, fields: {} });
    // The other one keeps up.
    await until(`it has event ${sent}`, () => quick.text.length > sent * message.length);
  }
  slow.read();
  await until("the slow reader knows that it was cut off", () => slow.closed);
  assert.ok(slow.text.length < quick.text.length);
  assert.equal(quick.closed, false);
});

test("who asks for the head of the stream is told that there is none, and holds no place", async (t) => {
  const server = await startLive(t);
  assert.equal((await fetch(`${server.admin.url}/api/stream`, { method: "HEAD" })).status, 404);
});

test("beyond a thousand readers the next is told to come again, and has a place once one has left", async (t) => {
  const server = await startLive(t);
  const readers: Reader[] = [];
  while (readers.length < 1000) {
    // No more at once than wait in a listener's queue.
    const more = Array.from({ length: 100 }, () => new Reader(t, server).read());
    await Promise.all(more.map((reader) => reader.has(/event: status/)));
    readers.push(...more);
  }
  const refused = await fetch(`${server.admin.url}/api/stream`);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "5"]);
  server.clock.advance(1000);
  await Promise.all(
    readers.map((reader) => until("all are told", () => reader.text.split("event: status").length === 3)),
  );
  readers[0]!.socket.destroy();
  await until("there is a place", async () => {
    const answer = await fetch(`${server.admin.url}/api/stream`);
    await answer.body?.cancel();
    return answer.status === 200;
  });
});

test("the server's end is the end of its streams, at once", async (t) => {
  const server = await startLive(t);
  const reader = new Reader(t, server).read();
  await reader.has(/event: status/);
  const startedAt = performance.now();
  await server.admin.close(60_000);
  await until("the reader knows", () => reader.closed);
  assert.ok(performance.now() - startedAt < 20_000);
});
