import assert from "node:assert/strict";
import { test } from "node:test";
import { MARKET_DATA_LADDER } from "../../src/config/degrade.js";
import type { LevelEvent } from "../../src/overload/events.js";
import { Ladder, type LadderStep } from "../../src/overload/ladder.js";
import type { RingSign } from "../../src/overload/pressure.js";
import { TableOverload } from "../../src/overload/table-overload.js";
import { ManualClock } from "../support/clock.js";

function overloadOf(steps: readonly LadderStep[], onApply: (overload: TableOverload) => void = () => {}) {
  const clock = new ManualClock();
  const events: LevelEvent[] = [];
  const applied: string[] = [];
  const signs = {
    ring: undefined as RingSign | undefined,
    queue: 0,
    memory: 0,
    lateMax: 60_000,
    link: "up" as const,
    stretch: 1,
    oldestAt: undefined as number | undefined,
    isServed: true,
  };
  const overload = new TableOverload({
    table: "t",
    ladder: new Ladder(steps),
    clock,
    signs: () => signs,
    apply: ({ dedup, sample, conflate }) => {
      applied.push(`${dedup} ${sample} ${conflate}`);
      onApply(overload);
    },
    report: (event) => events.push(event),
    onLevels: () => {},
  });
  return { overload, clock, signs, events, applied };
}

test("a step up and one down are told once each, with what they come from, and applied", () => {
  const { overload, clock, signs, events, applied } = overloadOf(MARKET_DATA_LADDER);
  overload.look();
  signs.queue = 0.77;
  overload.look();
  overload.look();
  const { level, pressure } = overload.stats();
  assert.deepEqual([level.index, level.step, level.changes], [2, "sample 10ms", 1]);
  assert.deepEqual([pressure.value, pressure.cause, pressure.inputs.queue], [0.77, "queue", 0.77]);
  signs.queue = 0.3;
  clock.advance(5000);
  overload.look();
  assert.deepEqual(
    events.map(({ from, to, step, forced }) => ({ from, to, step, forced })),
    [
      { from: 0, to: 2, step: "sample 10ms", forced: false },
      { from: 2, to: 1, step: "dedup", forced: false },
    ],
  );
  assert.deepEqual(applied, ["bbo 10 0", "bbo 0 0"]);
});

test("at full speed memory is full and rows wait in the ring, for moments in much of it and always in a part: no level but when they stay", () => {
  const { overload, clock, signs } = overloadOf(MARKET_DATA_LADDER);
  const see = (...waitings: readonly number[]): number => {
    for (const waiting of waitings) {
      signs.ring = { filled: waiting / 2, waiting };
      overload.look();
      clock.advance(25);
    }
    return overload.stats().level.index;
  };
  signs.memory = 1;
  for (let round = 0; round < 40; round += 1) assert.equal(see(0.95, 0.95, 0.1, 0.3), 0);
  assert.equal(see(...Array<number>(40).fill(0.45)), 0);
  assert.equal(see(0.55, 0.55), 0);
  assert.equal(see(0.55, 0.55), 1);
  assert.equal(see(0.9, 0.9, 0.9), 5);
});

test("a ring that filled while its thread stood still has a fifth of a second to be emptied", () => {
  const { overload, clock, signs } = overloadOf(MARKET_DATA_LADDER);
  const see = (...fillings: readonly number[]): number => {
    for (const filled of fillings) {
      signs.ring = { filled, waiting: 0 };
      overload.look();
      clock.advance(25);
    }
    return overload.stats().level.index;
  };
  assert.equal(see(0, 1, 0.98, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6), 0);
  assert.equal(see(...Array<number>(8).fill(0.9)), 0);
  assert.equal(see(0.9, 0.9), 4);
});

test("a level that is raised while rules are applied has the last word", () => {
  const { overload, signs, events, applied } = overloadOf(MARKET_DATA_LADDER, (its) => {
    if (its.level === 1) assert.ok(its.raise("memory_full"));
  });
  signs.queue = 0.7;
  overload.look();
  assert.deepEqual(
    events.map(({ from, to, forced, cause }) => [from, to, forced, cause]),
    [
      [0, 1, false, "queue"],
      [1, 6, true, "memory"],
    ],
  );
  assert.deepEqual(applied, ["bbo 0 0", "bbo 0 1000"]);
  assert.equal(overload.droppable, "first");
  assert.ok(overload.raise("queue_full"));
  assert.equal(overload.droppable, "all");
  assert.ok(!overload.raise("queue_full"), "there is no further step");
});

test("a table without steps may drop all rows, and has no level to raise", () => {
  const { overload, signs, events } = overloadOf([]);
  signs.queue = 1;
  overload.look();
  assert.deepEqual([overload.droppable, overload.level, overload.hasLevels], ["all", 0, false]);
  assert.ok(!overload.raise("queue_full"));
  assert.deepEqual(events, []);
});

test("rows are late from when they could have been stored: an outage that is over presses no table", () => {
  const { overload, clock, signs } = overloadOf(MARKET_DATA_LADDER);
  const freshness = (): number => overload.stats().pressure.inputs.freshness;
  signs.oldestAt = clock.monotonic();
  signs.isServed = false;
  for (let minute = 0; minute < 60; minute += 1) {
    clock.advance(60_000);
    overload.look();
  }
  assert.equal(freshness(), 0);
  signs.isServed = true;
  clock.advance(30_000);
  assert.equal(freshness(), 0.425);
  clock.advance(3_600_000);
  assert.equal(freshness(), 0.85);
  signs.oldestAt = clock.monotonic();
  assert.equal(freshness(), 0);
});

test("other steps begin at the level that the pressure asks for, and their rules are applied even if that is the same", () => {
  const { overload, signs, events, applied } = overloadOf(MARKET_DATA_LADDER);
  signs.queue = 0.77;
  overload.look();
  assert.deepEqual([overload.level, applied.splice(0)], [2, ["bbo 10 0"]]);
  const [dedup, sample, , , , , drop] = MARKET_DATA_LADDER;
  overload.setSteps([dedup!, { ...sample!, every: 40 }, drop!]);
  assert.deepEqual([overload.level, applied.splice(0)], [2, ["bbo 40 0"]]);
  overload.setSteps([{ ...dedup!, enter: 0.9 }, drop!]);
  assert.deepEqual([overload.level, applied.splice(0)], [0, ["none 0 0"]]);
  overload.setSteps([{ ...dedup!, enter: 0.5 }, drop!]);
  assert.deepEqual([overload.level, applied.splice(0)], [1, ["bbo 0 0"]]);
  overload.setSteps([]);
  assert.deepEqual([overload.level, overload.droppable, applied.splice(0)], [0, "all", ["none 0 0"]]);
  assert.deepEqual(
    events.map(({ from, to, step }) => [from, to, step]),
    [
      [0, 2, "sample 10ms"],
      [2, 0, "normal"],
      [0, 1, "dedup"],
      [1, 0, "normal"],
    ],
  );
  assert.equal(overload.stats().level.changes, 4);
});
