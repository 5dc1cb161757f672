import assert from "node:assert/strict";
import { test } from "node:test";
import { startSmallEngine, testShortStatements } from "./short-statements.js";

const small = await startSmallEngine();
const { clickhouse } = small;

// First: what the other leaves to the allocator would hide what grows.
testShortStatements(small, 100, 40);

test("all statements together keep to the memory limit", async () => {
  await assert.rejects(clickhouse.text("SELECT length(groupArray(number)) FROM numbers(200000000)"), {
    clickhouseCode: 241,
    message: /\(total\) memory limit exceeded/,
  });
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});
