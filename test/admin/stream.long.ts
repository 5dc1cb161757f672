import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/until.js";
import { Reader, startLive } from "./stream-reader.js";

test("one that cannot read each state of many tables gets those it can, and is cut off once it reads none for half a minute", async (t) => {
  // More than the kernel keeps of it. What comes is counted, as searching it each time takes long.
  const stateBytes = 12 << 20;
  const server = await startLive(t, "x".repeat(stateBytes));
  const slow = new Reader(t, server).read();
  await until("it has the first", () => slow.text.length > stateBytes);
  slow.socket.pause();
  slow.text = "";
  for (let second = 1; second <= 20; second += 1) server.clock.advance(1000);
  server.events.add({ kind: "resumed", level: "info", message: "orders takes batches again", fields: {} });
  slow.socket.resume();
  await until("it has what was sent", () => slow.text.length > stateBytes);
  await until("and the event", () =>
    slow.text.slice(stateBytes).includes('"message":"orders takes batches again"'),
  );
  assert.equal(slow.text.split("event: status").length, 2, "of twenty states one");
  server.clock.advance(1000);
  await until("the next", () => slow.text.length > 2 * stateBytes);
  slow.socket.pause();
  for (let second = 1; second <= 40; second += 1) server.clock.advance(1000);
  slow.socket.resume();
  await until("it is cut off", () => slow.closed);
});
