import assert from "node:assert/strict";
import { test } from "node:test";
import { accountOf } from "./stress/account.js";
import { violationsOf } from "./stress/judge.js";
import { CALM, staying, storm } from "./stress/plans.js";
import { stress } from "./stress/stress.js";

const STAY_MS = 100;

test("rows that a storm leaves no room for are told of, each one, and no critical row is lost", async (t) => {
  const stressed = await stress(t, {
    market: { symbols: 20, hot: false },
    phases: storm(0.4, { market: 400_000, critical: 2_000 }),
    afterwards: CALM,
    config: { ...staying(`${STAY_MS}ms`), memory: { max: "16MiB" } },
  });
  assert.deepEqual(violationsOf(stressed, STAY_MS), []);
  const { account, tally, clickhouse } = stressed;
  assert.ok(stressed.steps.length > 0, "the levels were left alone");
  assert.ok(account.offered > account.stored, "nothing was left out");
  assert.ok(account.criticalStored > 0);
  // The account sees a row that is there twice.
  await clickhouse.command("INSERT INTO market_data SELECT * FROM market_data LIMIT 1");
  const { violations } = await accountOf(clickhouse, tally);
  assert.match(violations.join(), /rows between .*1 rows more than were taken/);
});
