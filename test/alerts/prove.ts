import { setTimeout as delay } from "node:timers/promises";
import type { Alerting } from "./alerting.js";
import type { Desk } from "./desk.js";
import type { FaultDrill } from "./faults.js";

export interface Proof {
  readonly alert: string;
  readonly fault: string;
  /** From the fault until the webhook was told; undefined if it was not. */
  readonly firedAfter: number | undefined;
  /** From the end of the fault until the webhook was told; less than 0 if it cleared before. */
  readonly clearedAfter: number | undefined;
  /** As the webhook got it. */
  readonly summary: string | undefined;
}

const FIRE_MS = 90_000;
const CLEAR_MS = 120_000;

/** Causes a fault and waits for its alerts, puts it right and waits until they have gone. */
export async function prove(alerting: Alerting, desk: Desk, drill: FaultDrill): Promise<Proof[]> {
  const { fault, alerts } = drill;
  const begun = performance.now();
  await drill.inject(desk);
  const fired = await seen(alerting, alerts, "firing", begun, FIRE_MS);
  const healing = performance.now();
  await drill.heal(desk);
  // Only what has fired can clear.
  const firing = alerts.filter((_, index) => fired[index] !== undefined);
  const cleared = await seen(alerting, firing, "resolved", begun, CLEAR_MS);
  return alerts.map((alert, index) => ({
    alert,
    fault,
    firedAfter: secondsFrom(begun, fired[index]?.at),
    clearedAfter: secondsFrom(healing, cleared[firing.indexOf(alert)]?.at),
    summary: fired[index]?.annotations["summary"],
  }));
}

async function seen(
  alerting: Alerting,
  alerts: readonly string[],
  status: "firing" | "resolved",
  since: number,
  withinMs: number,
): Promise<ReturnType<Alerting["find"]>[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = alerts.map((alert) => alerting.find(alert, status, since));
    if (found.every((each) => each !== undefined) || performance.now() > deadline) return found;
    await delay(100);
  }
}

function secondsFrom(since: number, at: number | undefined): number | undefined {
  return at === undefined ? undefined : (at - since) / 1000;
}
