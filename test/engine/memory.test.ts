import assert from "node:assert/strict";
import { after, test } from "node:test";
import { GIB, MIB } from "../../src/base/units.js";
import { DEFAULT_LIMITS } from "../../src/engine/limits.js";
import { startTestEngine } from "../support/engine.js";
import { startSmallEngine, testShortStatements } from "./short-statements.js";

testShortStatements(await startSmallEngine(), 100, 40);

// One of its own: what a large statement leaves to the allocator would hide what grows. Memory that is asked for and not touched yet does not count to
// the limit for a moment, so a single statement may have more.
const { clickhouse } = await startTestEngine(
  { after },
  { memory: 512 * MIB, limits: { ...DEFAULT_LIMITS, queryMemory: 16 * GIB } },
);

test("all statements together keep to the memory limit", async () => {
  await assert.rejects(clickhouse.text("SELECT length(groupArray(number)) FROM numbers(200000000)"), {
    clickhouseCode: 241,
    message: /\(total\) memory limit exceeded/,
  });
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});
