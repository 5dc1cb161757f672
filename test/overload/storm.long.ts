import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { violationsOf } from "./stress/judge.js";
import { CALM, STORM, staying, storm } from "./stress/plans.js";
import { type Stress, type Stressed, stress } from "./stress/stress.js";

const STAY_MS = 1000;
const CONFIG = staying(`${STAY_MS}ms`);

/** Runs the plan, tells what became of the rows, and gives it once everything adds up. */
async function endured(t: TestContext, plan: Partial<Stress>): Promise<Stressed> {
  const stressed = await stress(t, {
    market: { symbols: 100, hot: false },
    phases: storm(5),
    afterwards: CALM,
    config: CONFIG,
    ...plan,
  });
  const { gaps, violations, ...account } = stressed.account;
  t.diagnostic(JSON.stringify(account));
  for (const { durable, ...timing } of stressed.timings)
    t.diagnostic(JSON.stringify({ ...timing, durableMax: Math.max(0, ...durable) }));
  t.diagnostic(
    stressed.steps.map(({ to, cause, forced }) => `${to} ${cause}${forced ? "!" : ""}`).join(", "),
  );
  assert.deepEqual(violationsOf(stressed, STAY_MS), []);
  return stressed;
}

test("a million rows a second for a minute on a ClickHouse that slows down, stops and comes back", async (t) => {
  const { steps, account } = await endured(t, { phases: storm(20) });
  assert.ok(steps.some(({ to }) => to > 0));
  assert.equal(account.criticalStored, account.criticalOffered);
});

test("the pipeline's thread stands still for seconds", async (t) => {
  const { account } = await endured(t, {
    phases: [
      { name: "at rest", seconds: 1, rates: CALM },
      { name: "stalled", seconds: 4, rates: STORM, begin: ({ stall }) => stall(4_000) },
      { name: "on again", seconds: 3, rates: STORM },
    ],
  });
  assert.ok(account.byReason["ring_full"]! > 0);
  assert.equal(account.criticalStored, account.criticalOffered);
});

test("the log's disk is full for seconds", async (t) => {
  const { account } = await endured(t, {
    phases: [
      { name: "at rest", seconds: 1, rates: CALM },
      { name: "full", seconds: 4, rates: STORM, begin: ({ fillDisk }) => fillDisk() },
      { name: "room again", seconds: 3, rates: STORM, begin: ({ emptyDisk }) => emptyDisk() },
    ],
  });
  assert.equal(account.criticalStored, account.criticalOffered);
});

test("one of 5,000 symbols has nine rows of ten", async (t) => {
  await endured(t, { market: { symbols: 5_000, hot: true } });
});

test("50,000 symbols", async (t) => {
  await endured(t, { market: { symbols: 50_000, hot: false } });
});

test("an account without its gaps does not add up", async (t) => {
  const { account } = await stress(t, {
    market: { symbols: 100, hot: false },
    phases: storm(1),
    afterwards: CALM,
    config: CONFIG,
    withoutGaps: true,
  });
  // On a busy machine the ring refuses all of them.
  assert.match(account.violations.join(), /are nowhere|rows were refused, 0 are told/);
});
