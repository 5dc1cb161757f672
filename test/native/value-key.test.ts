import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockBuilder } from "../../src/native/block.js";
import { randomOf } from "../support/random.js";

const TYPES: Readonly<Record<string, readonly unknown[]>> = {
  String: ["", "a", "b", "é"],
  "LowCardinality(String)": ["", "a", "b"],
  "LowCardinality(Nullable(String))": ["", "a", null],
  "Enum8('quote' = -1, 'trade' = 1)": ["quote", "trade"],
  "Nullable(Enum16('x' = 1, 'y' = -300))": ["x", "y", null],
  Int8: [-1, 0, 127],
  UInt16: [0, 65_535],
  UInt32: [0, 2 ** 32 - 1, 2 ** 31],
  Int64: [-1n, 0n, 2n ** 62n],
  "DateTime64(9, 'UTC')": [-1n, 0n, 1_700_000_000_000_000_001n],
};

for (const [type, values] of Object.entries(TYPES))
  test(`${type}: keys of two values are the same when their texts are, and keep so while rows are copied out`, (t) => {
    const pick = randomOf(t);
    const builder = new BlockBuilder([{ name: "c", type, required: true }]);
    for (let row = 0; row < 50; row += 1) {
      builder.append({ c: pick.of(values) }, {});
      if (row % 10 === 0) builder.encode(row, row + 1);
    }
    const keys = Array.from({ length: 50 }, (_, row) => builder.valueKey("c", row));
    const texts = keys.map((_, row) => builder.valueText("c", row));
    for (const [one, text] of texts.entries())
      for (const [other, another] of texts.entries())
        assert.equal(keys[one] === keys[other], text === another, `${text} ${another}`);
    const copy = new BlockBuilder([{ name: "c", type, required: true }]);
    for (let row = 49; row >= 0; row -= 1) copy.appendBlock(builder.encode(row, row + 1));
    assert.deepEqual(
      texts.map((_, row) => copy.valueText("c", 49 - row)),
      texts,
    );
  });

test("the stored 64 bits of a time are its nanoseconds", () => {
  const builder = new BlockBuilder([{ name: "c", type: "DateTime64(9)", required: true }]);
  for (const time of [-5n, 1_700_000_000_000_000_001n]) builder.append({ c: time }, {});
  assert.deepEqual([builder.int64Of("c", 0), builder.int64Of("c", 1)], [-5n, 1_700_000_000_000_000_001n]);
});
