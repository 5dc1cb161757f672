import { setTimeout as delay } from "node:timers/promises";
import type { Lane } from "./lanes.js";
import type { Victim } from "./process.js";
import type { Standing } from "./standing.js";

/** On a machine that is busy with other things. */
export const START_MS = 120_000;
/** For so long a recorder that settles may have nothing to show. */
const STILL_MS = 120_000;
const ASK_MS = 500;
/** Some hundred dead letters, each asked for, on a machine that is busy with other things. */
const RETRY_MS = 600_000;
/** Rows go on coming while what was left is replayed. */
const LAST_LIFE_MS = 200;

/** One more start, which nobody kills: it has to store what all before it left, and end. */
export async function settle(lane: Lane): Promise<void> {
  const victim = lane.start();
  try {
    if ((await victim.told("ready", START_MS)) === undefined) throw new Error("did not start");
    await lane.serve(victim);
    await delay(LAST_LIFE_MS);
    await lane.finish(victim);
    if (!(await endedInPeace(victim))) throw new Error("did not end in peace");
  } catch (cause) {
    const stands = JSON.stringify(victim.latest<Standing>("standing"));
    throw new Error(`${lane.name} could not settle: ${stands}\n${victim.output}`, { cause });
  } finally {
    await victim.kill();
  }
}

/** Waits for its end for as long as it gets on, however slow the machine is. */
export async function endedInPeace(victim: Victim): Promise<boolean> {
  let known = -1;
  let since = performance.now();
  while (!(await victim.died(ASK_MS))) {
    victim.order("stand");
    const now = victim.latest<Standing>("standing")?.known ?? -1;
    if (now !== known) since = performance.now();
    else if (performance.now() - since > STILL_MS) return false;
    known = now;
  }
  return victim.exitCode === 0;
}

/** Tries the dead letters again, which leaves those only that ClickHouse still refuses: rows that were stored after all have none. */
export async function retryLetters(lane: Lane): Promise<void> {
  const command = lane.retry();
  const ended = await command.died(RETRY_MS);
  await command.kill();
  // Status 1: letters stay.
  if (!ended || ![0, 1].includes(command.exitCode!) || command.output.includes('"error":'))
    throw new Error(`${lane.name}'s dead letters could not be tried again:\n${command.output}`);
}
