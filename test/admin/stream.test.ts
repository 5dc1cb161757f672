import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Live } from "../../src/live/live.js";
import type { RecorderStats } from "../../src/recorder.js";
import { Recorded } from "../live/recorded.js";
import { ManualClock } from "../support/clock.js";
import { until } from "../support/until.js";
import { type BareServer, startBare } from "./bare-server.js";

/** A reader of the stream that keeps all it was told, or does not read at all. */
class Reader {
  readonly socket: Socket;
  text = "";
  closed = false;

  constructor(t: TestContext, { admin }: BareServer, lines: readonly string[] = []) {
    this.socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
    this.socket.setEncoding("utf8");
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
    });
    t.after(() => this.socket.destroy());
    this.socket.write(["GET /api/stream HTTP/1.1", "Host: 127.0.0.1", ...lines, "", ""].join("\r\n"));
  }

  read(): this {
    this.socket.on("data", (text: string) => {
      this.text += text;
    });
    return this;
  }

  has(pattern: RegExp): Promise<void> {
    return until(`${pattern}`, () => {
      assert.equal(this.closed, false, "the stream has ended");
      return pattern.test(this.text);
    });
  }
}

/** @param name of the recorder, which makes what is told as long as one of many tables has it */
async function startLive(
  t: TestContext,
  name = "desk",
): Promise<BareServer & { clock: ManualClock; recorded: Recorded }> {
  const clock = new ManualClock();
  const recorded = new Recorded();
  const stats = (): RecorderStats => ({ ...recorded.stats(), recorder: name });
  const live = new Live({ stats, landingSeconds: () => 60, clock });
  return { ...(await startBare(t, { live })), clock, recorded };
}

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

test("one that cannot read each state of many tables gets those it can, and is cut off once it reads none for half a minute", async (t) => {
  // More than the kernel keeps of it.
  const stateBytes = 16 << 20;
  const server = await startLive(t, "x".repeat(stateBytes));
  const slow = new Reader(t, server).read();
  await until("it has the first", () => slow.text.length > stateBytes);
  slow.socket.pause();
  slow.text = "";
  for (let second = 1; second <= 20; second += 1) server.clock.advance(1000);
  server.events.add({ kind: "resumed", level: "info", message: "orders takes batches again", fields: {} });
  slow.socket.resume();
  await slow.has(/"message":"orders takes batches again"/);
  assert.equal(slow.text.split("event: status").length, 2, "of twenty states one");
  server.clock.advance(1000);
  await until("the next", () => slow.text.length > 2 * stateBytes);
  slow.socket.pause();
  for (let second = 1; second <= 40; second += 1) server.clock.advance(1000);
  slow.socket.resume();
  await until("it is cut off", () => slow.closed);
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
