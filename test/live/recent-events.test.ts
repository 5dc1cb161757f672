import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentEvents, type Told } from "../../src/live/recent-events.js";

const RESUMED: Told = { kind: "resumed", level: "info", message: "orders takes batches again", fields: {} };

function ids(events: RecentEvents): number[] {
  return events.all.map(({ id }) => id);
}

test("the last two hundred events are kept, the newest last, and a reader gets what came after the one it names", () => {
  const events = new RecentEvents(() => 1_000);
  for (let i = 0; i < 250; i += 1) events.add(RESUMED);
  const [first] = ids(events);
  assert.deepEqual(
    ids(events),
    [...Array(200).keys()].map((i) => first! + i),
  );
  assert.equal(first, 1_000_000 + 50);
  assert.deepEqual(events.since(first! + 197).length, 2);
  assert.equal(events.since(1).length, 200);
});

test("a reader of the start before gets all of this one's events, whether or not its id is known", () => {
  const before = new RecentEvents(() => 5_000);
  before.add(RESUMED);
  for (const wall of [5_001, 4_000]) {
    const events = new RecentEvents(() => wall);
    events.add(RESUMED);
    assert.deepEqual(events.since(ids(before).at(-1)!), events.all, `${wall}`);
  }
});

test("who watches is told of each event once, until it ends that", () => {
  const events = new RecentEvents(() => 2_500);
  const told: unknown[] = [];
  const end = events.watch((event) => told.push(event));
  events.add(RESUMED);
  end();
  events.add(RESUMED);
  assert.deepEqual(told, [{ ...RESUMED, id: 2_500_000, at: 2.5 }]);
});
