import assert from "node:assert/strict";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/base/clock.js";
import { MINUTE_MS } from "../../src/base/units.js";
import type { Recorder, RecorderOptions, SpoolOptions, TableOptions } from "../../src/recorder.js";
import type { FaultProxy } from "../support/fault-proxy.js";
import { until } from "../support/until.js";
import type { LogPlace } from "../wal/recorder-rig.js";

/** A table with a spool in its place's folder, and the bytes that it may have. */
export function spooled(
  place: Pick<LogPlace, "folder">,
  spool: Partial<SpoolOptions> = {},
  table: Partial<TableOptions> = {},
): [Partial<RecorderOptions>, Partial<TableOptions>] {
  return [
    {
      spool: {
        dir: join(place.folder, "spool"),
        order: "oldest_first",
        after: 50,
        reserve: 0,
        emergencyDisk: 1,
        ...spool,
      },
    },
    {
      class: "best_effort",
      durability: "spool",
      spool: { max: 2 ** 26 },
      flush: { rows: 500, bytes: 2 ** 20, age: 10 },
      ...table,
    },
  ];
}

/** Rows on disk, by the recorder's word. */
export function onDisk(recorder: Recorder, { name }: LogPlace): number {
  return recorder.stats().spool![name]!.rows;
}

/** Waits until so many rows are on disk and none of them is on its way there. */
export async function untilSpooled(recorder: Recorder, place: LogPlace, rows: number): Promise<void> {
  await until(`${rows} rows in the spool`, () => onDisk(recorder, place) >= rows);
}

/** 0 … n − 1, from `first` on. */
export function ids(first: number, n: number): number[] {
  return Array.from({ length: n }, (_, at) => first + at);
}

/** ClickHouse goes, and the recorder has noticed: a row that it was sending stays with the sink. */
export async function away(
  proxy: FaultProxy,
  recorder: Recorder,
  place: LogPlace,
  id: number,
): Promise<void> {
  await proxy.refuse();
  place.offer(recorder, [id]);
  await until("the link is down", () => recorder.stats().link.state === "down");
}

/** A clock for a recorder, and how it ends: the second that its disk is given then is not over before that is done, however slow it is. */
export function endlessEnd(): {
  readonly clock: Clock;
  readonly close: (recorder: Recorder) => ReturnType<Recorder["close"]>;
} {
  let endsSince: number | undefined;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => endsSince ?? systemClock.monotonic(),
    after: (ms, run) => systemClock.after(endsSince !== undefined && ms > 0 ? MINUTE_MS : ms, run),
  };
  return {
    clock,
    close: (recorder) => {
      endsSince = systemClock.monotonic();
      return recorder.close({ deadlineMs: 0 });
    },
  };
}

/** The folder of the table's spool. */
export function spoolFolder({ folder, name }: LogPlace): string {
  return join(folder, "spool", name);
}

/** Batches of exactly 1000 rows. */
export const FROZEN = { flush: { rows: 1000, bytes: 2 ** 20, age: 10 }, queue: { rows: 8000 } };
/** Rows that take about 1 KiB each. */
export const WIDE = { note: "x".repeat(1000) };

/** Offers rows in batches of a MiB that go to the spool one after the other. */
export async function fill(
  recorder: Recorder,
  place: LogPlace,
  first: number,
  batches: number,
): Promise<void> {
  for (let batch = 0; batch < batches; batch += 1) {
    place.offer(recorder, ids(first + batch * 1000, 1000), WIDE);
    const { tables } = recorder.stats();
    const before = tables[place.name]!.pending.rows;
    assert.ok(before > 0);
    await until("the batch on disk", () => recorder.stats().memory.used < 2 ** 19);
  }
}
