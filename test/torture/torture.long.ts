import assert from "node:assert/strict";
import { test } from "node:test";
import { seeds } from "../support/random.js";
import { violations } from "./oracle.js";
import { openScene } from "./scene.js";
import { torture } from "./torture.js";
import type { Weakening } from "./weakened.js";

const KILLS = 60;

for (const [disk, weakened] of [
  ["a disk that keeps what was written", []],
  ["a disk that keeps what was synced", ["power loss"]],
] as const satisfies readonly (readonly [string, readonly Weakening[]])[])
  for (const seed of seeds(1))
    test(`${KILLS} kills on ${disk}: acknowledged rows are stored once (COLDPATH_TEST_SEED=${seed})`, async (t) => {
      const scene = await openScene(t, { seed, lanes: ["library", "service"], poisonEvery: 1000, weakened });
      const { kills, verdict } = await torture({ ...scene, kills: KILLS, judgeEvery: 20 });
      t.diagnostic(JSON.stringify(Object.fromEntries(kills)));
      t.diagnostic(
        `${verdict.offered} offered, ${verdict.acknowledged} acknowledged, ${verdict.stored} stored`,
      );
      assert.equal(violations(verdict), 0, JSON.stringify(verdict, undefined, 1).slice(0, 5000));
    });
