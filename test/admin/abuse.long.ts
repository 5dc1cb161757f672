import assert from "node:assert/strict";
import { test } from "node:test";
import { abuse, requireUnharmed } from "./abuse.js";

const RATE = 25_000;
const SECONDS = 90;
/** What the collector of garbage and the kernel's buffers come and go by, MiB. */
const BREATH = 48;

test("a thousand readers and every abuse at once leave 25,000 rows a second as they are, and memory flat", async (t) => {
  const report = await abuse(t, { rate: RATE, seconds: SECONDS, readers: 990, dawdlers: 100 });
  const { memory, offered, calm, isBusy, least, cut, answers } = report;
  t.diagnostic(`memory MiB ${memory.map(Math.round).join(" ")}`);
  t.diagnostic(
    `${Math.round(offered)} rows/s, ${Math.round(calm)} before; least told ${least} s; ${cut} slow ones cut; ${JSON.stringify(answers)}`,
  );
  if (isBusy || calm < RATE * 0.9) return t.skip("this machine has no time for so many rows by itself");
  requireUnharmed(report);
  assert.ok(offered >= calm * 0.9, `${offered} rows a second were offered`);
  assert.ok(least >= SECONDS * 0.5, `a reader was told of ${least} seconds`);
  assert.ok(cut >= 100, "slow headers are cut off");
  const third = Math.floor(SECONDS / 3);
  const most = (from: number): number => Math.max(...memory.slice(from, from + third));
  assert.ok(most(2 * third) <= most(third) + BREATH, `memory grew: ${memory.map(Math.round).join(" ")}`);
});
