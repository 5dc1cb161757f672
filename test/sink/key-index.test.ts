import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyIndex } from "../../src/sink/key-index.js";

test("what was added is known, and nothing else", () => {
  const index = new KeyIndex();
  const count = 20_000;
  for (let i = 0; i < count; i += 1) index.add(`key ${i}`);
  for (let i = 0; i < count; i += 1) assert.ok(index.has(`key ${i}`));
  for (let i = count; i < 2 * count; i += 1) assert.ok(!index.has(`key ${i}`));
});

test("a full index keeps what it knows and takes up no more", () => {
  const index = new KeyIndex(2);
  for (const key of ["a", "b", "c", "a"]) index.add(key);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => index.has(key)),
    [true, true, false],
  );
});
