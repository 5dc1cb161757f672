import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "../../src/native/block.js";
import { Micros } from "../../src/native/micros.js";
import { NumberText } from "../../src/native/number-text.js";
import { Policy, type PolicyRules } from "../../src/policy/policy.js";
import { shapeOf } from "../../src/policy/shape.js";
import { ManualClock } from "../support/clock.js";
import { randomOf } from "../support/random.js";

const OFF: PolicyRules = { dedup: "none", sample: 0, conflate: 0, series: 10 };
const SHAPE = shapeOf({ by: ["name"], news: ["value"], time: "at" }, [{ name: "value", type: "Float64" }]);

/** A policy on its own, and what it keeps: `[id, skipped]`. */
function policyOf(rules: Partial<PolicyRules>, shape = SHAPE) {
  const clock = new ManualClock();
  const kept: [unknown, number][] = [];
  const gaps: number[] = [];
  const policy = new Policy<unknown>({
    shape,
    rules: { ...OFF, ...rules },
    clock,
    emit: (_row, id, skipped) => kept.push([id, skipped]) > 0,
    leftOut: () => {},
    onGap: ({ rows }) => gaps.push(rows),
  });
  const offer = (row: Row): void => {
    const verdict = policy.judge(row);
    if (verdict === "hold") policy.hold(row, row["id"]);
    if (verdict !== "keep") return;
    kept.push([row["id"], policy.skippedBefore]);
    policy.kept(row);
  };
  return { policy, clock, kept, gaps, offer };
}

const rowAt = (id: number, value: unknown): Row => ({
  id,
  name: "n",
  value,
  at: new Micros(1.7e15 + id, 0),
});

test("after the rules have changed the next row is compared with none from before", () => {
  const { policy, offer, kept } = policyOf({ dedup: "bbo" });
  offer(rowAt(1, 10));
  policy.change(OFF, SHAPE);
  offer(rowAt(2, 11));
  policy.change({ ...OFF, dedup: "bbo" }, SHAPE);
  offer(rowAt(3, 10));
  assert.deepEqual(kept.at(-1), [3, 0]);
});

test("with another shape rows are compared by its columns, and rows left out by the old one are told", () => {
  const { policy, offer, kept, gaps } = policyOf({ dedup: "bbo" });
  offer(rowAt(1, 10));
  offer(rowAt(2, 10));
  policy.change(
    { ...OFF, dedup: "bbo" },
    shapeOf({ by: ["name"], news: ["id"], time: "at" }, [{ name: "id", type: "UInt64" }]),
  );
  offer(rowAt(3, 10));
  offer(rowAt(4, 10));
  assert.deepEqual(
    kept.map(([id]) => id),
    [1, 3, 4],
  );
  assert.deepEqual(gaps, [1]);
});

test("a row that waits under new rules is let go after the new interval, not the old one", () => {
  const { policy, clock, offer, kept } = policyOf({ conflate: 3_600_000 });
  offer(rowAt(1, 10));
  policy.change({ ...OFF, conflate: 10 }, SHAPE);
  offer(rowAt(2, 11));
  clock.advance(10);
  assert.deepEqual(kept, [
    [1, 0],
    [2, 0],
  ]);
  policy.close();
  assert.equal(clock.timers, 0);
});

test("a row without a time comes behind the row that waits, and no count of rows left out is told twice", () => {
  const { policy, offer, kept } = policyOf({ conflate: 1000 });
  offer(rowAt(1, 10));
  offer(rowAt(2, 10));
  offer({ ...rowAt(3, 10), at: undefined });
  offer({ ...rowAt(4, 10), at: undefined });
  policy.close();
  assert.deepEqual(kept, [
    [2, 1],
    [3, 0],
    [4, 0],
  ]);
});

test("values are the same only where that is certain", () => {
  const isRepetition = (type: string, before: unknown, after: unknown): boolean => {
    const shape = shapeOf({ by: ["name"], news: ["value"], time: "at" }, [{ name: "value", type }]);
    const { offer, kept } = policyOf({ dedup: "bbo" }, shape);
    offer(rowAt(1, before));
    offer(rowAt(2, after));
    return kept.length === 1;
  };
  const same: [string, unknown, unknown][] = [
    ["Decimal(18, 2)", "1.50", "1.5"],
    ["Decimal(18, 2)", 1.5, new NumberText("1.50")],
    ["DateTime64(6)", new Micros(5, 1), new Micros(5, 1)],
    ["DateTime64(6)", new Date(5), new Date(5)],
    ["String", "1.50", "1.50"],
  ];
  const different: [string, unknown, unknown][] = [
    ["String", "1.50", "1.5"],
    ["Array(String)", ["1.50"], ["1.5"]],
    ["DateTime64(6)", new Micros(5, 0), new Micros(6, 0)],
    ["DateTime64(6)", new Date(5), new Date(6)],
    ["Map(String, String)", { a: "1" }, { a: "2" }],
  ];
  for (const [type, a, b] of same) assert.ok(isRepetition(type, a, b), `${type} ${String(a)} ${String(b)}`);
  for (const [type, a, b] of different)
    assert.ok(!isRepetition(type, a, b), `${type} ${String(a)} ${String(b)}`);
});

test("whatever the rules, rows left out are untold until a kept row or a gap has told of them", (t) => {
  const random = randomOf(t);
  const clock = new ManualClock();
  const rules = (): PolicyRules => ({
    dedup: random.below(2) === 0 ? "none" : "bbo",
    sample: random.below(2) * 5,
    conflate: random.below(2) * 5,
    series: 1 + random.below(3),
  });
  let leftOut = 0;
  let told = 0;
  const policy = new Policy<unknown>({
    ...{ shape: SHAPE, rules: rules(), clock },
    emit: (_row, _context, skipped) => {
      const isTaken = random.below(4) > 0;
      if (isTaken) told += skipped;
      return isTaken;
    },
    leftOut: () => {
      leftOut += 1;
    },
    onGap: ({ rows }) => {
      told += rows;
    },
  });
  for (let id = 0; id < 2000; id += 1) {
    const row = { ...rowAt(id * 700, random.below(3)), name: `n${random.below(5)}` };
    const verdict = policy.judge(row);
    if (verdict === "hold") policy.hold(row, id);
    if (verdict === "keep" && random.below(10) > 0) {
      told += policy.skippedBefore;
      policy.kept(row);
    }
    if (random.below(20) === 0) clock.advance(random.below(10));
    if (random.below(100) === 0) policy.change(rules(), SHAPE);
    assert.equal(policy.untold, leftOut - told, `row ${id}`);
  }
  policy.close();
  assert.ok(leftOut > 100 && policy.untold === 0);
});
