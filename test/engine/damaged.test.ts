import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Engine } from "../../src/engine/engine.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

test("a part that was damaged is put aside at start, and named", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t);
  await clickhouse.command("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a");
  for (const row of [1, 2]) await clickhouse.command(`INSERT INTO kept VALUES (${row})`);
  assert.deepEqual(engine.brokenParts, []);
  const sql = "SELECT path FROM system.parts WHERE table = 'kept' AND active ORDER BY name LIMIT 1";
  const path = (await clickhouse.text(sql)).trim();
  engine.kill();
  for (const file of ["checksums.txt", "columns.txt"]) writeFileSync(join(path, file), "garbage");
  await engine.restart();
  assert.match(engine.brokenParts.join(), /^default\.kept\/\S*all_1_1_0$/);
  assert.equal(await clickhouse.text("SELECT a FROM kept"), "2\n");
});

test("a data folder that is no folder is refused by name", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  writeFileSync(dataDir, "");
  await assert.rejects(Engine.start({ dataDir }), {
    code: "ENGINE_FOLDER_DAMAGED",
    message: new RegExp(`${dataDir} cannot be used .*choose another folder`),
  });
});
