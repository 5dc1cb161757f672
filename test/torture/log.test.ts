import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.js";
import { seeded, seeds } from "../support/random.js";
import { tortureLog } from "./log.js";

for (const disk of ["real", "power loss"] as const)
  for (const seed of seeds(1))
    test(`a log's writer is killed, ${disk} disk: what was acknowledged is there, once (COLDPATH_TEST_SEED=${seed})`, async (t) => {
      const folder = await temporaryFolder(t);
      const { acknowledged, kills, wrong } = await tortureLog(folder, seeded(seed), { kills: 10, disk });
      t.diagnostic(`${acknowledged} frames; ${JSON.stringify(Object.fromEntries(kills))}`);
      assert.deepEqual(wrong.slice(0, 5), []);
      assert.ok(acknowledged > 0);
    });

test("a disk that only says it has synced is caught", async (t) => {
  const folder = await temporaryFolder(t);
  const { wrong } = await tortureLog(folder, seeded(1), { kills: 5, disk: "no sync" });
  assert.match(wrong[0] ?? "", /is lost/);
});
