import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestEngine } from "../support/engine.js";
import { randomOf } from "../support/random.js";
import { killUnderLoad, missing } from "./kill-under-load.js";

test("no acknowledged insert is lost or torn when the engine is killed under load", async (t) => {
  const engine = await startTestEngine(t);
  const load = await killUnderLoad(engine, { kills: 3, writers: 4, random: randomOf(t) });
  t.diagnostic(`${load.acknowledged.length} acknowledged, ${load.cut} cut`);
  assert.ok(load.cut > 0, "no kill met an insert");
  assert.deepEqual(await missing(engine.clickhouse, load.acknowledged), { lost: [], torn: [] });
  // The ledger's check sees a loss, and half an insert.
  assert.deepEqual((await missing(engine.clickhouse, [...load.acknowledged, 1e9])).lost, [1e9]);
  await engine.clickhouse.command("INSERT INTO loaded VALUES (1000000001, 0)");
  assert.deepEqual((await missing(engine.clickhouse, load.acknowledged)).torn, [1e9 + 1]);
});
