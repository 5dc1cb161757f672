import assert from "node:assert/strict";
import { test } from "node:test";
import { seeds } from "../support/random.js";
import { violations } from "./oracle.js";
import { openScene } from "./scene.js";
import { torture } from "./torture.js";

for (const seed of seeds(1)) {
  test(`recorder and engine are killed under load: acknowledged rows are stored once (COLDPATH_TEST_SEED=${seed})`, async (t) => {
    const scene = await openScene(t, { seed, lanes: ["library"] });
    const { kills, verdict } = await torture({ ...scene, kills: 2, points: [] });
    t.diagnostic(JSON.stringify(Object.fromEntries(kills)));
    t.diagnostic(
      `${verdict.offered} offered, ${verdict.acknowledged} acknowledged, ${verdict.stored} stored`,
    );
    assert.equal(violations(verdict), 0, JSON.stringify(verdict, undefined, 1).slice(0, 5000));
    assert.ok(verdict.acknowledged > 0);
  });
}
