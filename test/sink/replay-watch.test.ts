import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecorderEvent } from "../../src/sink/events.js";
import { Replay } from "../../src/sink/replay.js";
import { ReplayWatch } from "../../src/sink/replay-watch.js";
import { ManualClock } from "../support/clock.js";

/** A watch over rows of two tables, of which the test says how many are left. */
function watched(left: { orders: number; fills: number }) {
  const clock = new ManualClock();
  const events: RecorderEvent[] = [];
  const tables = (["orders", "fills"] as const).map((table) => ({
    table,
    pending: () => left[table],
    paused: () => undefined,
  }));
  const watch = new ReplayWatch({
    clock,
    report: (event) => events.push(event),
    watch: () => new Replay(tables),
  });
  return { clock, events, watch };
}

test("a replay is told when it begins, each ten seconds with what is left, and when it is done", (t) => {
  const left = { orders: 5_000, fills: 0 };
  const { clock, events, watch } = watched(left);
  t.after(() => watch.close());
  assert.equal(watch.stats, undefined);
  watch.begin("outage");
  clock.advance(9_999);
  watch.look();
  left.orders = 2_000;
  clock.advance(1);
  watch.look();
  assert.deepEqual(watch.stats, { cause: "outage", rows: 5_000, left: 2_000, seconds: 10 });
  clock.advance(5_000);
  left.orders = 0;
  watch.look();
  watch.look();
  assert.deepEqual(events, [
    { kind: "replay", cause: "outage", pending: { orders: 5_000 } },
    { kind: "replaying", pending: { orders: 2_000 }, rowsPerSecond: 300, paused: [] },
    { kind: "replayed", cause: "outage", rows: 5_000, seconds: 15 },
  ]);
  assert.equal(watch.stats, undefined);
});

test("a log in which nothing waits is not worth a word, nor is a replay that stands still worth many", (t) => {
  const left = { orders: 0, fills: 0 };
  const { clock, events, watch } = watched(left);
  t.after(() => watch.close());
  watch.begin("start");
  assert.deepEqual(events, []);
  left.fills = 7;
  watch.begin("start");
  for (let minute = 0; minute < 60; minute += 1) {
    clock.advance(60_000);
    watch.look();
  }
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["replay"],
  );
});
