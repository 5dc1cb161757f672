import assert from "node:assert/strict";
import { test } from "node:test";
import { Lasting, Peak, pressureOf, type Signs } from "../../src/overload/pressure.js";

const CALM: Signs = {
  ring: undefined,
  queue: 0,
  memory: 0,
  lateMs: 0,
  lateMax: 60_000,
  link: "up",
  stretch: 1,
};

test("a table at rest has no pressure", () => {
  assert.equal(pressureOf(CALM).value, 0);
});

test("pressure is that of the hardest sign, which is named as its cause", () => {
  const { value, cause } = pressureOf({ ...CALM, queue: 0.7, memory: 0.5 });
  assert.deepEqual([value, cause], [0.7, "queue"]);
  assert.equal(pressureOf({ ...CALM, memory: 1 }).cause, "memory");
  assert.equal(pressureOf({ ...CALM, ring: { filled: 0.9, waiting: 0.9 }, queue: 0.7 }).cause, "ring");
});

test("a full table is no overload while its rows can wait in a ring, and is once they cannot", () => {
  const valueAt = (waiting: number): number =>
    pressureOf({ ...CALM, queue: 1, ring: { filled: waiting / 2, waiting } }).value;
  assert.equal(valueAt(0), 0.4);
  assert.equal(valueAt(0.5), 0.7);
  assert.equal(valueAt(1), 1);
});

test("only room that runs out brings pressure to its limit: rows that are late, and too many parts, do not", () => {
  const late = pressureOf({ ...CALM, lateMs: 3_600_000 });
  assert.deepEqual([late.value, late.cause], [0.85, "freshness"]);
  assert.equal(pressureOf({ ...CALM, lateMs: 30_000 }).value, 0.425);
  const parts = pressureOf({ ...CALM, stretch: 8 });
  assert.equal(parts.cause, "parts");
  assert.ok(parts.value > 0.7 && parts.value < 0.76);
  assert.equal(pressureOf({ ...CALM, stretch: 1 }).inputs.parts, 0);
});

test("a link that is down is a floor below every default threshold", () => {
  const { value, cause } = pressureOf({ ...CALM, link: "down" });
  assert.equal(cause, "link");
  assert.ok(value > 0 && value < 0.7);
});

test("a peak is followed at once and forgotten by half in a quarter of a second", () => {
  const peak = new Peak();
  assert.equal(peak.of(0.2, 0), 0.2);
  assert.equal(peak.of(0.8, 1), 0.8);
  assert.equal(peak.of(0, 251), 0.4);
  assert.equal(peak.of(0, 501), 0.2);
  assert.equal(peak.of(0.3, 502), 0.3);
});

test("a ring that is full for a moment does not count, one that is for 50 ms does", () => {
  const looks = (values: readonly number[], everyMs = 25): number[] => {
    const lasting = new Lasting(40);
    return values.map((value, look) => lasting.of(value, 1000 + look * everyMs));
  };
  assert.deepEqual(looks([0, 0, 0, 1, 0.5, 0.2]), [0, 0, 0, 0, 0, 0.2]);
  assert.deepEqual(looks([0, 0, 0, 1, 1, 1, 0.9]), [0, 0, 0, 0, 0, 1, 0.9]);
  assert.deepEqual(looks([0, 1, 1], 300), [0, 0, 1]);
});
