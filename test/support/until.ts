import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

const DEADLINE_MS = 60_000;

/** Waits until a condition holds; `what` names it in the failure. */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `${what} did not come within ${DEADLINE_MS / 1000} s`);
    await delay(5);
  }
}
