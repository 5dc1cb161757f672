import assert from "node:assert/strict";
import { test } from "node:test";
import { DATA, skip } from "../venues/binance-recording.js";
import { replayBurst } from "./stress/captures.js";

const SPEEDS: readonly (readonly [name: string, speed: number])[] = [
  ["as they were recorded", 1],
  ["ten times as fast", 10],
  ["a hundred times as fast", 100],
  ["flat out", Number.POSITIVE_INFINITY],
];

for (const [name, speed] of SPEEDS) {
  test(`recorded bursts ${name}: every row is stored or told of, and trades go last`, { skip }, async (t) => {
    const { account, kinds, steps } = await replayBurst(t, { data: DATA, speed, seconds: 10 });
    const { gaps, ...sums } = account;
    t.diagnostic(JSON.stringify({ ...sums, kinds, steps: steps.map(({ to }) => to) }));
    assert.deepEqual(account.violations, []);
    assert.equal(account.levelRows, steps.length);
    const isLast = steps.some(({ step }) => step === "drop_trades");
    if (!isLast) assert.equal(account.tradesStored, account.tradesOffered);
    if (speed === 1) assert.equal(account.stored, account.offered);
  });
}
