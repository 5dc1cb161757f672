import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchTicket } from "../../src/buffer/ticket.js";

test("a ticket tells its end to who asked before and to who asks after", async () => {
  const [good, bad] = [new BatchTicket(), new BatchTicket()];
  const early = [good.stored, bad.stored];
  good.settle();
  bad.settle(new Error("dropped"));
  await early[0];
  await good.stored;
  await assert.rejects(early[1]!, /dropped/);
  await assert.rejects(bad.stored, /dropped/);
});

test("a failure that nobody looks at is no unhandled rejection", async (t) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", onUnhandled);
  t.after(() => process.off("unhandledRejection", onUnhandled));
  const ticket = new BatchTicket();
  void ticket.stored;
  ticket.settle(new Error("dropped"));
  await new Promise(setImmediate);
  assert.deepEqual(unhandled, []);
});
