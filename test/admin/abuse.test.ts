import assert from "node:assert/strict";
import { test } from "node:test";
import { abuse, requireUnharmed } from "./abuse.js";

test("wrong tokens, large bodies, slow headers, noise, other sites and fifty readers: the service records on", async (t) => {
  const report = await abuse(t, { rate: 500, seconds: 3, readers: 50, dawdlers: 20 });
  requireUnharmed(report);
  assert.ok(report.least > 0, "every reader that reads is told");
});
