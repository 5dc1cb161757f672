import assert from "node:assert/strict";
import { test } from "node:test";
import { SeqSet } from "../../src/wal/seq-set.js";
import { randomOf } from "../support/random.js";

test("ranges that touch or overlap become one, others stay apart", () => {
  const set = new SeqSet([
    { first: 10, last: 19 },
    { first: 40, last: 49 },
    { first: 20, last: 20 },
  ]);
  assert.deepEqual(set.ranges, [
    { first: 10, last: 20 },
    { first: 40, last: 49 },
  ]);
  set.add(22, 38);
  assert.equal(set.ranges.length, 3);
  set.add(21, 39);
  assert.deepEqual(set.ranges, [{ first: 10, last: 49 }]);
  set.add(5, 4);
  assert.equal(set.size, 40);
});

test("an empty interval is covered and has nothing missing", () => {
  const set = new SeqSet();
  assert.ok(set.covers(3, 2));
  assert.deepEqual(set.missingIn(3, 2), []);
  assert.deepEqual(set.missingIn(3, 5), [{ first: 3, last: 5 }]);
});

test("it answers as a set of single numbers does", (t) => {
  const random = randomOf(t);
  for (let round = 0; round < 60; round++) {
    const set = new SeqSet();
    const numbers = new Set<number>();
    for (let step = 0; step < 25; step++) {
      const first = random.below(60);
      const last = first + random.below(8) - 1;
      set.add(first, last);
      for (let n = first; n <= last; n++) numbers.add(n);
      const gone = random.below(60);
      set.remove(gone, gone + (step % 4));
      for (let n = gone; n <= gone + (step % 4); n++) numbers.delete(n);

      const from = random.below(60);
      const to = from + random.below(12) - 1;
      const wanted = [...Array(to - from + 1).keys()].map((n) => n + from);
      const missing = wanted.filter((n) => !numbers.has(n));
      assert.equal(set.covers(from, to), missing.length === 0);
      assert.equal(set.has(from), numbers.has(from));
      const told = set.missingIn(from, to);
      assert.deepEqual(
        told.flatMap((range) => wanted.filter((n) => n >= range.first && n <= range.last)),
        missing,
      );
      assert.deepEqual(
        set.within(from, to).flatMap((range) => wanted.filter((n) => n >= range.first && n <= range.last)),
        wanted.filter((n) => numbers.has(n)),
      );
      assert.ok(told.every((range, at) => at === 0 || told[at - 1]!.last + 1 < range.first));
    }
    assert.equal(set.size, numbers.size);
    assert.ok(set.ranges.every((range, at) => at === 0 || set.ranges[at - 1]!.last + 1 < range.first));
  }
});
