import assert from "node:assert/strict";
import { test } from "node:test";
import { LineError } from "../../src/intake/line-error.js";
import { asRowError, Rejections } from "../../src/intake/rejections.js";
import { ValueError } from "../../src/native/block.js";

test("rows are counted by reason, most frequent first, and the first ones are told", () => {
  const rejections = new Rejections(2);
  rejections.add(3, new LineError("is broken JSON", "expected ':' at its end"));
  rejections.add(5, new ValueError("px", "is out of range", "1"));
  rejections.add(6, new ValueError("px", "is out of range", "2"));
  assert.deepEqual(Object.entries(rejections.reasons), [
    ["px: is out of range", 2],
    ["is broken JSON", 1],
  ]);
  assert.deepEqual(
    rejections.first.map(({ line, column, reason }) => [line, column, reason]),
    [
      [3, undefined, "is broken JSON"],
      [5, "px", "is out of range"],
    ],
  );
});

test("garbage that makes ever new reasons is counted in bounded memory", () => {
  const rejections = new Rejections();
  for (let line = 1; line <= 100_000; line += 1)
    rejections.add(line, new ValueError(`c${line}`, "is no column", line));
  assert.equal(rejections.rows, 100_000);
  assert.equal(Object.keys(rejections.reasons).length, 101);
  assert.equal(rejections.reasons["other reasons"], 99_900);
});

test("an error that is no fault of a row is thrown on", () => {
  const fault = new TypeError("x is not a function");
  assert.throws(() => asRowError(fault), fault);
});
