import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, merged, quantile, seenSince } from "../../src/base/histogram.js";
import { randomOf } from "../support/random.js";

test("a quantile lies in the bucket of the value that a sorted list has there", (t) => {
  const random = randomOf(t);
  const bounds = [0.01, 0.1, 1, 10];
  const histogram = new Histogram(bounds);
  const values: number[] = [];
  for (let i = 0; i < 5000; i += 1) {
    const value = 10 ** (random() * 3.9 - 3);
    const times = 1 + Math.floor(random() * 3);
    histogram.observe(value, times);
    for (let time = 0; time < times; time += 1) values.push(value);
  }
  values.sort((one, other) => one - other);
  for (const q of [0.001, 0.1, 0.5, 0.9, 0.99, 1]) {
    const exact = values[Math.ceil(q * values.length) - 1]!;
    const index = bounds.findIndex((bound) => exact <= bound);
    const guess = quantile(histogram.snapshot(), q)!;
    assert.ok(guess <= bounds[index]! && guess >= (bounds[index - 1] ?? 0), `${q}: ${guess} for ${exact}`);
  }
});

test("of nothing there is no quantile, and of what is above all bounds the last bound is told", () => {
  const histogram = new Histogram([1, 2]);
  assert.equal(quantile(histogram.snapshot(), 0.5), undefined);
  histogram.observe(100);
  assert.equal(quantile(histogram.snapshot(), 0.5), 2);
});

test("what was seen since a snapshot, and by several, is what one that saw just that would tell", () => {
  const [first, second, both] = [new Histogram([1, 2]), new Histogram([1, 2]), new Histogram([1, 2])];
  first.observe(0.5);
  const before = first.snapshot();
  for (const seconds of [1.5, 3]) {
    first.observe(seconds);
    both.observe(seconds);
  }
  second.observe(0.25, 4);
  both.observe(0.25, 4);
  assert.deepEqual(merged([seenSince(first.snapshot(), before), second.snapshot()]), both.snapshot());
  assert.equal(merged([]), undefined);
});
