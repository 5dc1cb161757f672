import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { violations } from "./oracle.js";
import type { Victim } from "./process.js";
import type { RecorderNews } from "./recorder-child.js";
import { openScene } from "./scene.js";
import { endedInPeace } from "./settle.js";
import { judgeLanes } from "./torture.js";

const ROWS_PER_SECOND = 10_000;
/** Acknowledged before it goes, and at least while it is away. */
const ROWS_BEFORE = 5_000;
const READY_MS = 90_000;
const LOOK_MS = 250;
const WEIGH_MS = 3_000;

type Weight = RecorderNews & { readonly kind: "weight" };

export interface Outage {
  readonly rows: number;
  /**
   * Bytes that the recording process held when ClickHouse went, and the most until it was back. Not what is resident: a thread that gets
   * little of the machine collects late.
   */
  readonly heldBefore: number;
  readonly heldMost: number;
}

/** The engine is killed under load and stays away; afterwards every acknowledged row is stored once. */
export async function outage(t: TestContext, awayMs: number): Promise<Outage> {
  const { engine, clickhouse, lanes } = await openScene(t, {
    seed: 1,
    lanes: ["library"],
    rowsPerSecond: ROWS_PER_SECOND,
    direct: true,
  });
  const lane = lanes[0]!;
  const victim = lane.start();
  assert.ok(await victim.told("ready", READY_MS), victim.output);
  while (lane.progress(victim) < ROWS_BEFORE) await nextLook(victim);
  engine.kill();
  const before = lane.progress(victim);
  const heldBefore = await heldBy(victim);
  let heldMost = 0;
  const end = performance.now() + awayMs;
  // On a machine that is busy with other things it takes longer until something was logged.
  while (performance.now() < end || lane.progress(victim) < before + ROWS_BEFORE) {
    await delay(WEIGH_MS);
    heldMost = Math.max(heldMost, await heldBy(victim));
  }
  await engine.restart();
  victim.order("finish");
  assert.ok(await endedInPeace(victim), `it could not end: ${victim.output}`);
  const verdict = await judgeLanes(clickhouse, lanes);
  assert.equal(violations(verdict), 0, JSON.stringify(verdict).slice(0, 2000));
  assert.ok(verdict.acknowledged >= 2 * ROWS_BEFORE);
  assert.equal(verdict.stored, verdict.offered);
  const links = victim
    .all<RecorderNews & { kind: "event" }>("event")
    .flatMap(({ event }) => (event.kind === "link" ? [event.to] : []));
  assert.ok(links.includes("down"), links.join());
  assert.equal(links.at(-1), "up");
  return { rows: verdict.stored, heldBefore, heldMost };
}

async function nextLook(victim: Victim): Promise<void> {
  assert.ok(victim.isAlive, victim.output);
  await delay(LOOK_MS);
}

async function heldBy(victim: Victim): Promise<number> {
  const all = (): readonly Weight[] => victim.all<Weight>("weight");
  const before = all().length;
  victim.order("weigh");
  while (all().length === before) await nextLook(victim);
  return all().at(-1)!.bytes;
}
