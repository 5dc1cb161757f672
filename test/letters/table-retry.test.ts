import assert from "node:assert/strict";
import { test } from "node:test";
import { TableTally } from "../../src/letters/table-retry.js";

test("letters that stay are all counted, and the first hundred told: an answer is small however many there are", () => {
  const tally = new TableTally("orders");
  tally.add({ stored: ["a", "b"], found: ["c"], left: new Map([["d", "no such column"]]) });
  for (let i = 0; i < 100_000; i += 1) tally.stays(`${i}`, "too old");
  const { errors, ...counts } = tally.retry;
  assert.deepEqual(counts, { table: "orders", stored: 2, found: 1, left: 100_001 });
  assert.deepEqual(
    [errors.length, errors[0], errors.at(-1)],
    [100, { id: "d", reason: "no such column" }, { id: "98", reason: "too old" }],
  );
  assert.deepEqual([...tally.gone], ["a", "b", "c"]);
});
