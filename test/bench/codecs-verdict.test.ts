import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trial } from "../../bench/codecs-trial.js";
import { better, candidatesOf } from "../../bench/codecs-verdict.js";

const trial = (codec: string, bytes: number, rest: Partial<Trial> = {}): Trial => ({
  family: "price",
  set: "fx",
  codec,
  isCommitted: false,
  bytes,
  insertMs: 10,
  readMs: 10,
  ...rest,
});
const instead = (...trials: Trial[]): string | undefined => better(candidatesOf(trials))?.codec;
const chosen = trial("ZSTD(1)", 2, { isCommitted: true });

test("a codec a tenth smaller at like cost is to be taken instead", () => {
  assert.equal(instead(chosen, trial("GCD", 1.8), trial("T64", 1.7)), "T64");
});

test("a choice within a tenth of the best stands", () => {
  assert.equal(instead(chosen, trial("GCD", 1.9)), undefined);
});

test("a smaller codec that takes over half as long again to insert or to read is not to be taken", () => {
  assert.equal(instead(chosen, trial("GCD", 1, { insertMs: 16 })), undefined);
  assert.equal(instead(chosen, trial("GCD", 1, { readMs: 16 })), undefined);
  assert.equal(instead(chosen, trial("GCD", 1, { insertMs: 15, readMs: 15 })), "GCD");
});

test("a smaller codec beside one that is smaller still but too slow is taken", () => {
  assert.equal(instead(chosen, trial("GCD", 1, { insertMs: 30 }), trial("T64", 1.5)), "T64");
});

test("a twentieth of a byte by row is nothing, however large a part it is", () => {
  assert.equal(instead(trial("ZSTD(1)", 0.04, { isCommitted: true }), trial("GCD", 0.001)), undefined);
});

test("each data set counts the same, and its times add up", () => {
  const [first, second] = candidatesOf([
    chosen,
    trial("ZSTD(1)", 4, { set: "live", isCommitted: true, insertMs: 30 }),
    trial("GCD", 1, { insertMs: 20 }),
    trial("GCD", 2, { set: "live", insertMs: 40 }),
  ]);
  assert.deepEqual(first, {
    family: "price",
    codec: "GCD",
    isCommitted: false,
    bytes: 1.5,
    bytesBySet: { fx: 1, live: 2 },
    insert: 1.5,
    read: 1,
  });
  assert.equal(second?.bytes, 3);
});
