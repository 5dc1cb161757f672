import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/base/clock.js";
import { SECOND_MS } from "../../src/base/units.js";
import type { Recorder, RecorderOptions, WalOptions } from "../../src/recorder.js";
import { type Rig, upTo } from "../sink/rig.js";
import { type LogPlace, loggedOptions } from "./recorder-rig.js";

/** Rows are kept for seconds in place of minutes, in small segments. */
export function quick({ folder, name }: LogPlace, { direct }: Rig, keepAcked = 400): { wal: WalOptions } {
  return { wal: { ...loggedOptions(direct, folder, name).wal!, segment: 20_000, keepAcked } };
}

/** Longer than any machine takes to store a few batches. */
const KEPT_MS = 30 * SECOND_MS;

/** As {@link quick}, but acknowledged rows are kept until `pass` is called. */
export function keeping(place: LogPlace, rig: Rig): { options: Partial<RecorderOptions>; pass: () => void } {
  let passed = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passed };
  return {
    options: { ...quick(place, rig, KEPT_MS), clock },
    pass: () => {
      passed = KEPT_MS;
    },
  };
}

/** The numbers of the segments that are there. */
export function segmentsOf({ folder }: LogPlace): number[] {
  return readdirSync(join(folder, "wal")).flatMap((name) =>
    name.endsWith(".wal") ? [Number.parseInt(name, 10)] : [],
  );
}

/** Offers rows in so many batches, each stored before the next. */
export async function store(place: LogPlace, recorder: Recorder, batches: number, from = 0): Promise<void> {
  for (let batch = from; batch < from + batches; batch += 1) {
    const ids = upTo(100).map((i) => batch * 100 + i);
    place.offer(recorder, ids);
    await recorder.flush();
  }
}

/** ClickHouse's host loses power: what it has not synced is gone from its disk. */
export async function powerCut(
  { name }: LogPlace,
  { direct, engine }: Rig,
  isLost: (entry: string) => boolean,
): Promise<void> {
  const [row] = await direct.rows<{ path: string }>(
    `SELECT data_paths[1] AS path FROM system.tables WHERE name = '${name}'`,
  );
  engine.kill();
  const lost = readdirSync(row!.path).filter(isLost);
  assert.ok(lost.length > 0, "something is lost");
  for (const entry of lost) rmSync(join(row!.path, entry), { recursive: true });
  await engine.restart();
}

/** Whether an entry of a table's folder holds rows. */
export const isPart = (entry: string): boolean => /^\d{8}_/.test(entry);
