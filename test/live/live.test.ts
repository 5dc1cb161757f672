import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { HistoryPoint } from "../../src/live/history.js";
import { Live } from "../../src/live/live.js";
import { ManualClock } from "../support/clock.js";
import { Recorded } from "./recorded.js";

function start(t: TestContext): { recorded: Recorded; clock: ManualClock; live: Live } {
  const recorded = new Recorded();
  const clock = new ManualClock();
  const live = new Live({ stats: () => recorded.stats(), landingSeconds: () => 60, clock });
  t.after(() => live.close());
  return { recorded, clock, live };
}

test("rates are rows a second over the last two seconds, of each table and of all, those of earlier starts included", (t) => {
  const { recorded, clock, live } = start(t);
  for (let second = 0; second < 10; second += 1) {
    recorded.offered += 100;
    recorded.stored += second < 8 ? 90 : 0;
    recorded.inherited += 5;
    clock.advance(1000);
  }
  const { rates } = live.report;
  assert.deepEqual([rates.offered, rates.accepted, rates.stored, rates.logged], [100, 100, 5, 0]);
  assert.deepEqual(rates.tables["orders"]?.stored, 5);
  assert.deepEqual(rates.tables["fills"]?.stored, 0);
});

test("rows that a count gave back flow nowhere backwards", (t) => {
  const { recorded, clock, live } = start(t);
  recorded.deduplicated = 10;
  clock.advance(3000);
  recorded.deduplicated = 9;
  clock.advance(3000);
  assert.equal(live.report.rates.deduplicated, 0);
});

test("every five seconds a point tells of these five seconds, and null of what did not happen in them", (t) => {
  const { recorded, clock, live } = start(t);
  const points: HistoryPoint[] = [];
  let statuses = 0;
  live.watch({
    status: () => {
      statuses += 1;
    },
    sample: (point) => points.push(point),
  });
  recorded.offered = 50;
  recorded.stored = 25;
  recorded.usage = 0.5;
  recorded.freshness.observe(0.05, 25);
  recorded.inserts.observe(0.05);
  clock.advance(5000);
  recorded.usage = 0;
  clock.advance(5000);
  assert.equal(statuses, 10);
  const at = Date.UTC(2024, 7, 8, 12) / 1000;
  assert.deepEqual(points, [
    {
      at: at + 5,
      offeredRowsPerSecond: 10,
      storedRowsPerSecond: 5,
      freshnessP50Seconds: 0.05,
      freshnessP99Seconds: 0.099,
      queueUsage: 0.5,
      insertP50Seconds: 0.05,
      insertP99Seconds: 0.099,
      walBytes: 4096,
      spoolBytes: 10,
    },
    {
      at: at + 10,
      offeredRowsPerSecond: 0,
      storedRowsPerSecond: 0,
      freshnessP50Seconds: null,
      freshnessP99Seconds: null,
      queueUsage: 0.125,
      insertP50Seconds: null,
      insertP99Seconds: null,
      walBytes: 4096,
      spoolBytes: 10,
    },
  ]);
  const { at: times, series } = live.history.columns;
  assert.deepEqual(times, [at + 5, at + 10]);
  assert.deepEqual(series.queueUsage, [0.5, 0.125]);
});

test("an hour is kept, and not a point more", (t) => {
  const { clock, live } = start(t);
  clock.advance(2 * 3600 * 1000);
  const { at, series, intervalSeconds } = live.history.columns;
  assert.equal(at.length * intervalSeconds, 3600);
  assert.equal(at.at(-1), Date.UTC(2024, 7, 8, 14) / 1000);
  assert.ok(Object.values(series).every((column) => column.length === at.length));
});

test("after its end it looks no more", (t) => {
  const { clock, live } = start(t);
  live.close();
  assert.equal(clock.timers, 0);
});

test("rows that wait while none is stored do not land, after the time that is allowed; a quiet table is left alone", (t) => {
  const { recorded, clock, live } = start(t);
  const tables = (): unknown => live.notLanding.map(({ table, rows, seconds }) => [table, rows, seconds]);
  clock.advance(100_000);
  assert.deepEqual(tables(), []);
  recorded.pending = 7;
  clock.advance(61_000);
  assert.deepEqual(tables(), []);
  clock.advance(1000);
  assert.deepEqual(tables(), [["orders", 7, 61]]);
  recorded.pending = 9;
  recorded.stored += 1;
  clock.advance(1000);
  assert.deepEqual(tables(), []);
  clock.advance(61_000);
  assert.deepEqual(tables(), [["orders", 9, 61]]);
  recorded.pending = 0;
  clock.advance(1000);
  assert.deepEqual(tables(), []);
});
