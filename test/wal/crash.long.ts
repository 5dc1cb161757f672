import { test } from "node:test";
import { seeds } from "../support/random.js";
import { runSchedules } from "./crash-schedule.js";

test("in thousands of schedules all that was committed is recovered, and nothing that was not appended", (t) => {
  t.diagnostic(JSON.stringify(runSchedules(seeds(10_000))));
});
