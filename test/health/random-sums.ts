import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, systemClock } from "../../src/base/clock.js";
import type { LadderStep } from "../../src/overload/ladder.js";
import type { Recorder, RecorderOptions, TableOptions } from "../../src/recorder.js";
import { checkSums } from "../sink/rig.js";
import { spooled } from "../spool/spool-rig.js";
import type { Fault } from "../support/fault-proxy.js";
import {
  answers,
  cutAnswer,
  exception,
  hangAfterStore,
  html,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { type Random, randomOf } from "../support/random.js";
import { type LogPlace, startLogRig } from "../wal/recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;
afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

const FAULTS: readonly Fault[] = [
  ...[resetBeforeStore, resetAfterStore, cutAnswer, hangAfterStore, answers(html(502)), answers(html(413))],
  ...[answers(exception(241)), answers(exception(252, "Too many parts"))],
];

/** Nobody waits long for anything. */
const IMPATIENT: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(Math.min(ms, 10), run),
};

/** Levels that come and go within a test. */
const LADDER: readonly LadderStep[] = [
  { do: "dedup", every: 0, enter: 0.3, leave: 0.2, stay: 50 },
  { do: "sample", every: 20, enter: 0.5, leave: 0.4, stay: 50 },
  { do: "conflate", every: 50, enter: 0.7, leave: 0.6, stay: 50 },
  { do: "drop", every: 0, enter: 0.95, leave: 0.8, stay: 50 },
];

const POLICY: NonNullable<TableOptions["policy"]> = {
  ...{ dedup: "bbo", sample: 5, conflate: 0, series: 4 },
  ...{ by: ["kind"], news: ["px"], time: "ts" },
};

const SMALL: Partial<TableOptions> = {
  flush: { rows: 50, bytes: 2 ** 20, age: 10 },
  queue: { rows: 400 },
};
const LADDERED: Partial<TableOptions> = { ...SMALL, class: "best_effort", policy: POLICY, degrade: LADDER };

/** By name, what a table is opened with; the way its rows take is another in each. */
export const WAYS: Readonly<
  Record<string, (place: LogPlace) => readonly [Partial<RecorderOptions>, Partial<TableOptions>]>
> = {
  "in memory, with a policy and a ladder": () => [{}, { ...LADDERED, durability: "memory" }],
  "with a spool, a policy and a ladder": (place) =>
    spooled(place, {}, { ...LADDERED, spool: { max: 2 ** 21 } }),
  "critical, in memory": () => [{}, { ...SMALL, durability: "memory" }],
  "with a log": () => [{}, SMALL],
};

/** Rows of a table that are offered in so many steps add up at each look, whatever befalls them. */
export function testSums(way: string, steps: number): void {
  test(`rows of a table ${way} add up at each look, whatever befalls them`, async (t) => {
    const random = randomOf(t);
    const place = await rig.place({ columns: ", CONSTRAINT c CHECK id % 293 != 5" });
    const [options, table] = WAYS[way]!(place);
    const recorder = await place.open({ deadlineMs: 500, clock: IMPATIENT, random, ...options }, table);
    let offered = 0;
    for (let step = 0; step < steps; step += 1) {
      if (random() < 0.4) proxy.on({ kind: "insert", times: 1 + random.below(2) }, random.of(FAULTS));
      if (step === Math.floor(steps / 3)) await proxy.refuse();
      if (step === Math.floor((2 * steps) / 3)) await proxy.accept();
      offered += offerSome(recorder, place.name, random);
      await look(recorder, place.name, random);
    }
    proxy.clear();
    await recorder.flush();
    const stats = recorder.stats().tables[place.name]!;
    checkSums(stats);
    assert.equal(stats.offered, offered);
    assert.equal(stats.pending.rows, 0);
    assert.equal(stats.stored, await place.count());
    assert.ok((stats.refused["value_rejected"] ?? 0) > 0, JSON.stringify(stats));
    await recorder.close({ deadlineMs: 10_000 });
    assert.deepEqual(
      place.events.filter(({ kind }) => kind === "conservation"),
      [],
    );
    const { holds, looks, violations } = stats.conservation;
    assert.deepEqual([holds, violations], [true, 0]);
    assert.ok(looks > steps / 8, `${looks} looks`);
    const { stored, deduplicated, sampled, dropped, refused, deadLettered, level } = stats;
    const fates = { stored, deduplicated, sampled, dropped, refused, deadLettered };
    t.diagnostic(JSON.stringify({ ...fates, levels: level.changes, looks }));
  });
}

function offerSome(recorder: Recorder, name: string, random: Random): number {
  const writer = recorder.table(name);
  const rows = random.below(120);
  for (let offered = 0; offered < rows; offered += 1) {
    const ts = random() < 0.02 ? "yesterday" : BigInt(Date.now()) * 1_000_000n;
    const id = random.below(2 ** 31);
    const row = { ts, id, px: random.below(3), kind: random.of(["a", "b", "c", "d", "e", "f"]) };
    try {
      writer.offer(row);
    } catch (error) {
      void writer.rejected(
        JSON.stringify(row, (_, value) => String(value)),
        error,
      );
    }
  }
  return rows;
}

/** A few turns of the event loop, in each of which the sums hold. */
async function look(recorder: Recorder, name: string, random: Random): Promise<void> {
  for (let turn = random.below(8); turn >= 0; turn -= 1) {
    checkSums(recorder.stats().tables[name]!);
    await delay(random.below(4));
  }
}
