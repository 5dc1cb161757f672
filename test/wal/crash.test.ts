import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded, seeds } from "../support/random.js";
import { runSchedule } from "./crash-schedule.js";

test("whatever dies, all that was committed is recovered, and nothing that was not appended", (t) => {
  const sum = { crashes: 0, commits: 0, failures: 0 };
  for (const seed of seeds(150)) {
    try {
      const told = runSchedule(seeded(seed));
      sum.crashes += told.crashes;
      sum.commits += told.commits;
      sum.failures += told.failures;
    } catch (error) {
      throw new Error(`COLDPATH_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  t.diagnostic(JSON.stringify(sum));
  assert.ok(sum.crashes > 0 && sum.commits > 0);
});
