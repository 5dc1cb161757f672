import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Conditions } from "../../src/health/conditions.js";
import type { ConditionEvent } from "../../src/health/events.js";
import { RecentRows } from "../../src/health/recent-rows.js";
import { ManualClock } from "../support/clock.js";
import { until } from "../support/until.js";
import { startLogRig } from "../wal/recorder-rig.js";

const LIMITS = { drop_rate: 0.01, level_held: 600_000, spool_usage: 0.8 };
const REST = { dropShare: 0, level: 0, spoolUsage: 0 };

function conditionsAt(clock: ManualClock) {
  const events: ConditionEvent[] = [];
  const conditions = new Conditions(LIMITS, clock, (event) => events.push(event));
  /** What is told of now: `name table begun` or `… over`. */
  const told = (): string[] =>
    events.splice(0).map(({ name, table, holds }) => `${name} ${table} ${holds ? "begun" : "over"}`);
  return { conditions, told, names: () => conditions.all.map(({ name }) => name) };
}

test("a condition is told when its limit is passed and when its value is well below, however often it is looked at", () => {
  const { conditions, told, names } = conditionsAt(new ManualClock());
  const dropping = (dropShare: number): void => conditions.look("t", { ...REST, dropShare });
  for (const share of [0, 0.01, 0.01]) dropping(share);
  assert.deepEqual(told(), []);
  for (const share of [0.011, 0.4, 0.011, 0.0095]) dropping(share);
  assert.deepEqual([told(), names()], [["drop_rate t begun"], ["drop_rate"]]);
  dropping(0.008);
  assert.deepEqual([told(), names()], [["drop_rate t over"], []]);
});

test("other limits hold from the next look on", () => {
  const { conditions, told } = conditionsAt(new ManualClock());
  const look = (): void => conditions.look("t", { ...REST, dropShare: 0.02 });
  conditions.setLimits({ ...LIMITS, drop_rate: 0.05 });
  look();
  assert.deepEqual(told(), []);
  conditions.setLimits(LIMITS);
  look();
  assert.deepEqual(told(), ["drop_rate t begun"]);
  conditions.setLimits({ ...LIMITS, drop_rate: 0.05 });
  look();
  assert.deepEqual(told(), ["drop_rate t over"]);
});

test("a table that goes up and down its ladder is away from its normal level all the while", () => {
  const clock = new ManualClock();
  const { conditions, told } = conditionsAt(clock);
  for (let minute = 0; minute < 10; minute += 1) {
    conditions.look("t", { ...REST, level: 1 + (minute % 3) });
    clock.advance(60_000);
  }
  assert.deepEqual(told(), []);
  clock.advance(60_000);
  conditions.look("t", { ...REST, level: 2 });
  const [held] = conditions.all;
  assert.deepEqual([told(), held?.value, held?.limit], [["level_held t begun"], 660, 600]);
  assert.match(held!.message, /^t has not been at its normal level for 11 min; it is at level 2$/);
  conditions.look("t", REST);
  assert.deepEqual(told(), ["level_held t over"]);
  conditions.look("t", { ...REST, level: 1 });
  clock.advance(599_000);
  conditions.look("t", { ...REST, level: 1 });
  assert.deepEqual(told(), []);
});

test("tables have their conditions each, and the time of their begin stays", () => {
  const clock = new ManualClock();
  const { conditions, told } = conditionsAt(clock);
  const since = clock.wall() / 1000;
  conditions.look("a", { ...REST, spoolUsage: 0.85 });
  conditions.look("b", { ...REST, dropShare: 1 });
  clock.advance(5000);
  conditions.look("a", { ...REST, spoolUsage: 0.9 });
  assert.deepEqual(told(), ["spool_nearly_full a begun", "drop_rate b begun"]);
  const [spool] = conditions.all;
  assert.deepEqual([spool!.since, spool!.value], [since, 0.9]);
  assert.match(spool!.message, /^the spool of a is 90% full/);
});

test("what came in the last seconds or the last minute is told apart, and older rows are forgotten", () => {
  const clock = new ManualClock();
  const counts = { offered: 0, stored: 0, dropped: 0, refusedByRings: 0 };
  const recent = new RecentRows(clock, () => ({ ...counts }));
  for (let second = 0; second < 200; second += 1) {
    counts.offered += second < 150 ? 100 : 10;
    if (second < 150) counts.dropped += 1;
    if (second >= 150) counts.refusedByRings += 2;
    clock.advance(1000);
    recent.look();
  }
  assert.deepEqual(recent.over(10_000), {
    seconds: 10,
    offered: 100,
    stored: 0,
    dropped: 0,
    refusedByRings: 20,
  });
  const minute = { seconds: 60, offered: 1500, stored: 0, dropped: 10, refusedByRings: 100 };
  assert.deepEqual(recent.over(60_000), minute);
  clock.advance(500);
  assert.equal(recent.over(10_000).seconds, 10.5);
});

test("a recorder that drops rows while ClickHouse is away says so in its stats and events, and when it is over", async () => {
  const rig = await startLogRig({ after });
  const place = await rig.place();
  const degrade = [{ do: "drop", leave: 0.5, stay: 1 } as const];
  const recorder = await place.open(
    { conditions: { drop_rate: 0.01, level_held: 500, spool_usage: 0.8 } },
    { ...{ class: "best_effort", durability: "memory", degrade }, queue: { rows: 500 } },
  );
  await rig.proxy.refuse();
  for (let id = 0; id < 2000; id += 1) place.offer(recorder, [id]);
  const names = (): string[] => recorder.stats().conditions.map(({ name }) => name);
  await until("both conditions", () => names().length === 2);
  assert.deepEqual(names(), ["drop_rate", "level_held"]);
  await rig.proxy.accept();
  await until("a normal level", () => names().length === 1);
  const told = place.events.flatMap((event) =>
    event.kind === "condition" ? [`${event.name} ${event.holds}`] : [],
  );
  assert.deepEqual(told, ["drop_rate true", "level_held true", "level_held false"]);
});
