import assert from "node:assert/strict";
import { test } from "node:test";
import { Levels, type Thresholds } from "../../src/overload/levels.js";
import { randomOf, seeded } from "../support/random.js";

const STEPS: readonly Thresholds[] = [
  { enter: 0.5, leave: 0.3, stay: 1000 },
  { enter: 0.7, leave: 0.5, stay: 1000 },
  { enter: 0.9, leave: 0.6, stay: 1000 },
];

test("pressure below the first threshold changes nothing, at it the first level holds at once", () => {
  const levels = new Levels(STEPS, 0);
  assert.equal(levels.look(0.499, 1), undefined);
  assert.deepEqual(levels.look(0.5, 2), { from: 0, to: 1 });
  assert.equal(levels.look(0.5, 3), undefined);
  assert.equal(levels.changes, 1);
});

test("pressure that calls for several steps is met by one change", () => {
  const levels = new Levels(STEPS, 0);
  assert.deepEqual(levels.look(0.95, 1), { from: 0, to: 3 });
});

test("a level is left after its stay, one step at a time, and not while pressure is at its threshold", () => {
  const levels = new Levels(STEPS, 0);
  levels.look(1, 0);
  assert.equal(levels.look(0, 999), undefined);
  assert.equal(levels.look(0.6, 1000), undefined);
  assert.deepEqual(levels.look(0.59, 1001), { from: 3, to: 2 });
  assert.equal(levels.look(0, 2000), undefined);
  assert.deepEqual(levels.look(0, 2001), { from: 2, to: 1 });
  assert.deepEqual(levels.look(0, 3001), { from: 1, to: 0 });
  assert.equal(levels.look(0, 9000), undefined);
});

test("a level that is entered again within its stay is held twice as long, up to eight times", () => {
  const levels = new Levels(STEPS, 0);
  let now = 0;
  levels.look(0.5, now);
  const held: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    const since = now;
    while (levels.look(0, now) === undefined) now += 100;
    held.push(now - since);
    levels.look(0.5, now);
  }
  assert.deepEqual(held, [1000, 2000, 4000, 8000, 8000, 8000]);
  // A calm stretch, and it is as at the beginning.
  now += 8000;
  levels.look(0, now);
  now += 1000;
  levels.look(0.5, now);
  assert.deepEqual(levels.look(0, now + 1000), { from: 1, to: 0 });
});

test("a level that is forced is left like any other", () => {
  const levels = new Levels(STEPS, 0);
  assert.deepEqual(levels.force(3, 10), { from: 0, to: 3 });
  assert.equal(levels.look(0.1, 1009), undefined);
  assert.deepEqual(levels.look(0.1, 1010), { from: 3, to: 2 });
});

test("a level without a threshold is entered by force alone", () => {
  const levels = new Levels([...STEPS, { enter: Infinity, leave: 0.8, stay: 1000 }], 0);
  assert.deepEqual(levels.look(1, 0), { from: 0, to: 3 });
  assert.deepEqual(levels.force(4, 0), { from: 3, to: 4 });
});

test("a table without steps has no level but the normal one", () => {
  const levels = new Levels([], 0);
  assert.equal(levels.look(1, 0), undefined);
  assert.equal(levels.look(0, 1e9), undefined);
});

test("whatever the pressure does, levels follow it up at once, and reverse at most once in a shortest stay on average", (t) => {
  const pick = seeded(randomOf(t).below(2 ** 31));
  for (let round = 0; round < 300; round += 1) {
    const steps = ladder(pick);
    const shortest = Math.min(...steps.map(({ stay }) => stay));
    const levels = new Levels(steps, 0);
    let now = 0;
    let changedAt = 0;
    let direction = 0;
    let reversals = 0;
    let pressure = 0;
    for (let look = 0; look < 2000; look += 1) {
      now += pick.below(100);
      // Walks, and jumps to make it flap where it hurts: just past a threshold.
      const edge = pick.of(steps);
      pressure = pick.of([pressure + (pick() - 0.5) / 4, pick(), edge.enter, edge.leave - 1e-9, 0, 1]);
      const before = levels.index;
      const isForced = pick() < 0.01 && before < steps.length;
      const change = isForced
        ? levels.force(before + 1 + pick.below(steps.length - before), now)
        : levels.look(pressure, now);
      assert.equal(levels.index, change?.to ?? before);
      if (!isForced)
        for (const { enter } of steps.slice(levels.index)) assert.ok(pressure < enter, "up at once");
      if (change === undefined) continue;
      assert.equal(change.from, before);
      if (change.to < change.from) {
        const left = steps[change.from - 1]!;
        assert.equal(change.to, change.from - 1, "down one step");
        assert.ok(pressure < left.leave && now - changedAt >= left.stay, "down after the stay");
      }
      const turn = Math.sign(change.to - change.from);
      if (direction !== 0 && turn !== direction) reversals += 1;
      direction = turn;
      changedAt = now;
      // The first of two that follow each other at once is paid for afterwards.
      assert.ok(reversals <= 1 + now / shortest, `${reversals} reversals in ${now} ms, stay ${shortest}`);
    }
    for (
      const limit = now + 8 * steps.reduce((sum, { stay }) => sum + stay, 1000);
      levels.index > 0;
      now += 50
    ) {
      assert.ok(now < limit, "calm leads back to normal");
      levels.look(0, now);
    }
  }
});

function ladder(pick: ReturnType<typeof seeded>): Thresholds[] {
  const count = 1 + pick.below(6);
  const steps: Thresholds[] = [];
  for (let index = 1; index <= count; index += 1) {
    const enter = 0.3 + (0.7 * index) / count;
    steps.push({ enter, leave: enter * (0.5 + pick() / 2.1), stay: 50 + pick.below(1000) });
  }
  return steps;
}
