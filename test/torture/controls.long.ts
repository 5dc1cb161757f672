import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTROLS } from "./controls.js";
import { type Verdict, violations } from "./oracle.js";
import { openScene } from "./scene.js";
import { judgeLanes } from "./torture.js";
import type { Weakening } from "./weakened.js";

for (const { without, disk, run } of CONTROLS) {
  test(`a recorder with ${without} is caught, and one that has it is not`, async (t) => {
    const verdictOf = async (weakened: readonly Weakening[]): Promise<Verdict> => {
      const scene = await openScene(t, { seed: 1, lanes: ["library"], weakened });
      await run(scene);
      return await judgeLanes(scene.clickhouse, scene.lanes);
    };
    const whole = await verdictOf(disk === undefined ? [] : [disk]);
    assert.equal(violations(whole), 0, JSON.stringify(whole).slice(0, 2000));
    const weakened = await verdictOf([without]);
    t.diagnostic(`${weakened.lost.length} lost, ${weakened.doubled.length} doubled`);
    assert.ok(violations(weakened) > 0);
  });
}
