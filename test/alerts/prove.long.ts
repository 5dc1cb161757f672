import assert from "node:assert/strict";
import { test } from "node:test";
import { Alerting, withoutPrometheus } from "./alerting.js";
import { Desk } from "./desk.js";
import { DRILLS } from "./faults.js";
import { prove } from "./prove.js";

const QUICK: ReadonlySet<string> = new Set([
  "ColdpathDown",
  "ColdpathDeadLetters",
  "ColdpathClickHouseUnreachable",
]);

test("alerts reach a webhook when something goes wrong, and clear when it is put right", {
  skip: withoutPrometheus(),
}, async (t) => {
  const desk = await Desk.start(t);
  const alerting = await Alerting.start(t, desk.address);
  for (const drill of DRILLS) {
    const alerts = drill.alerts.filter((alert) => QUICK.has(alert));
    if (alerts.length === 0) continue;
    for (const { alert, firedAfter, clearedAfter, summary } of await prove(alerting, desk, {
      ...drill,
      alerts,
    })) {
      assert.ok(firedAfter !== undefined, `${alert} never came`);
      assert.ok(clearedAfter !== undefined, `${alert} never cleared`);
      assert.doesNotMatch(summary!, /<no value>|\{\{/, alert);
    }
  }
});
