import assert from "node:assert/strict";
import { test } from "node:test";
import { Lane } from "../../src/engine/lane.js";

const { signal } = new AbortController();

test("work runs in as many places as there are, in the order it came", async () => {
  const lane = new Lane(["left", "right"], 10);
  const ends: (() => void)[] = [];
  const started: string[] = [];
  const work = (name: string): Promise<void> =>
    lane.run(signal, (place) => {
      started.push(`${name} ${place}`);
      return new Promise((resolve) => ends.push(resolve));
    });
  const all = ["a", "b", "c", "d"].map(work);
  await new Promise(setImmediate);
  assert.deepEqual(started, ["a right", "b left"]);
  for (const expected of ["c right", "d left"]) {
    ends.shift()!();
    await new Promise(setImmediate);
    assert.equal(started.at(-1), expected);
  }
  for (const end of ends) end();
  await Promise.all(all);
});

test("more than may wait are refused at once, with a server's code", async () => {
  const lane = new Lane([0], 2);
  const held = await lane.enter(signal);
  const waiting = [lane.enter(signal), lane.enter(signal)];
  await assert.rejects(lane.enter(signal), { clickhouseCode: 202 });
  held.leave();
  (await waiting[0]!).leave();
  (await waiting[1]!).leave();
  (await lane.enter(signal)).leave();
});

test("what is aborted in the queue never starts and holds up nobody", async () => {
  const lane = new Lane([0], 5);
  const held = await lane.enter(signal);
  const gone = new AbortController();
  let hasStarted = false;
  const dropped = lane.run(gone.signal, async () => {
    hasStarted = true;
  });
  const next = lane.enter(signal);
  gone.abort(new Error("gone"));
  await assert.rejects(dropped, { message: "gone" });
  held.leave();
  (await next).leave();
  assert.equal(hasStarted, false);
  await assert.rejects(lane.enter(gone.signal), { message: "gone" });
});

test("a place is free again after work that failed", async () => {
  const lane = new Lane([0], 5);
  await assert.rejects(
    lane.run(signal, () => Promise.reject(new Error("failed"))),
    { message: "failed" },
  );
  (await lane.enter(signal)).leave();
});
