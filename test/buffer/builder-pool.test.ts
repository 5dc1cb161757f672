import assert from "node:assert/strict";
import { test } from "node:test";
import { BuilderPool } from "../../src/buffer/builder-pool.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import type { BlockBuilder } from "../../src/native/block.js";

const COLUMNS = [{ name: "note", type: "String", required: true, stamped: false }];

function fill(builder: BlockBuilder, bytes: number): void {
  builder.append({ note: "x".repeat(bytes) }, {});
}

test("an idle builder counts with the most it ever held, not with its last batch", () => {
  const budget = new MemoryBudget(40_000);
  const pool = new BuilderPool(COLUMNS, budget);
  const builder = pool.take();
  fill(builder, 8_000);
  pool.give(builder);
  assert.equal(pool.take(), builder);
  fill(builder, 1);
  pool.give(builder);
  const other = pool.take();
  assert.equal(other, builder);
  pool.give(other);
  // A quarter of the limit is 10,000: 8,000 and more of them are taken.
  assert.equal(budget.keep(2_000), false);
  assert.equal(budget.keep(1_000), true);
});

test("a builder that is too large to be kept is let go", () => {
  const pool = new BuilderPool(COLUMNS, new MemoryBudget(40_000));
  const builder = pool.take();
  fill(builder, 20_000);
  pool.give(builder);
  assert.notEqual(pool.take(), builder);
});
