import assert from "node:assert/strict";
import { test } from "node:test";
import { randomOf } from "../support/random.js";
import { eachCall } from "./disk-faults.js";

for (const forEver of [false, true]) {
  test(`a disk call that fails ${forEver ? "for ever" : "once"} costs nothing that was committed`, (t) => {
    const random = randomOf(t);
    for (const powerLoss of [false, true]) {
      const calls = eachCall({ code: "EIO", forEver, powerLoss }, 3, random);
      assert.ok(calls > 50, `only ${calls} calls`);
    }
  });
}
