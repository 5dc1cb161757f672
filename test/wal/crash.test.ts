import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded, seeds } from "../support/random.js";
import { runSchedule, runSchedules } from "./crash-schedule.js";

test("whatever dies, all that was committed is recovered, and nothing that was not appended", (t) => {
  t.diagnostic(JSON.stringify(runSchedules(seeds(80))));
});

test("the same check catches a disk that only says that it synced", () => {
  const caught = seeds(20).filter((seed) => {
    try {
      runSchedule(seeded(seed), true);
      return false;
    } catch {
      return true;
    }
  });
  assert.ok(caught.length > 0);
});
