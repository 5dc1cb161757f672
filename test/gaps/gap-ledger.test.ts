import assert from "node:assert/strict";
import { test } from "node:test";
import { type Deferred, deferred } from "../../src/base/deferred.js";
import type { Gap } from "../../src/gaps/gap.js";
import { GapLedger } from "../../src/gaps/gap-ledger.js";
import { gapRow } from "../../src/gaps/gap-row.js";
import type { GapTotals } from "../../src/gaps/gap-window.js";
import { MissingRows } from "../../src/gaps/missing-rows.js";
import type { Written } from "../../src/gaps/notes.js";
import { ManualClock } from "../support/clock.js";

/** A ledger and what it wrote down. */
function ledgerOf() {
  const clock = new ManualClock();
  const written: GapTotals[] = [];
  const room = { is: true };
  const disk: Deferred[] = [];
  const write = (totals: GapTotals): Written | undefined => {
    if (!room.is) return undefined;
    written.push(totals);
    const synced = deferred();
    disk.push(synced);
    return { durable: synced.promise };
  };
  return { clock, written, room, disk, ledger: new GapLedger({ clock, write }) };
}

const GAP: Gap = { table: "market_data", reason: "queue_full", level: 6, rows: 1 };
const of = (symbol: string): { symbol: string; kind: string } => ({ symbol, kind: "quote" });

test("gaps of one table, reason and level within ten seconds are one; others are apart", () => {
  const { clock, written, ledger } = ledgerOf();
  ledger.add({
    ...GAP,
    rows: 3,
    by: [
      [of("A"), 2],
      [of("B"), 1],
    ],
    from: 20n,
    to: 30n,
    seqs: { first: 5, last: 9 },
  });
  clock.advance(9_999);
  ledger.add({ ...GAP, rows: 4, by: [[of("A"), 3]], from: 10n, to: 25n, seqs: { first: 20, last: 23 } });
  ledger.add({ ...GAP, level: 5 });
  ledger.add({ ...GAP, table: "ticks" });
  ledger.add({ ...GAP, reason: "ring_full" });
  assert.equal(written.length, 0);
  clock.advance(1);
  assert.equal(written.length, 4);
  const [first] = written;
  assert.deepEqual(first!.named, [
    [of("A"), 5],
    [of("B"), 1],
  ]);
  assert.deepEqual(
    { rows: first!.rows, from: first!.from, to: first!.to, seqs: first!.seqs, others: first!.others },
    { rows: 7, from: 10n, to: 30n, seqs: { first: 5, last: 23 }, others: 1 },
  );
  clock.advance(60_000);
  assert.equal(written.length, 4);
  ledger.add(GAP);
  clock.advance(10_000);
  assert.equal(written.length, 5);
});

test("a thousand series are named; of more those that miss most, and the rest is a number", () => {
  const { written, ledger } = ledgerOf();
  const by = (count: number) => Array.from({ length: count }, (_, at) => [of(`S${at}`), at + 1] as const);
  ledger.add({ ...GAP, rows: 500_500, by: by(1000) });
  ledger.flush();
  assert.deepEqual([written[0]!.named.length, written[0]!.series, written[0]!.others], [1000, 1000, 0]);
  ledger.add({ ...GAP, rows: 501_501, by: by(1001) });
  ledger.flush();
  const many = written[1]!;
  assert.deepEqual(many.named[0], [of("S1000"), 1001]);
  assert.deepEqual([many.named.length, many.series], [100, 1001]);
  // 1 + 2 + … + 901 are not named.
  assert.equal(many.others, (901 * 902) / 2);
});

test("what finds no room is written later, with what came in between", () => {
  const { clock, written, room, ledger } = ledgerOf();
  room.is = false;
  ledger.add(GAP);
  clock.advance(10_000);
  ledger.add({ ...GAP, rows: 2 });
  room.is = true;
  clock.advance(10_000);
  assert.deepEqual(
    written.map(({ rows }) => rows),
    [3],
  );
});

test("a gap is told when it is on disk, not before: a thread that dies meanwhile leaves its rows untold, or counted by their ring", async () => {
  const { clock, room, disk, ledger } = ledgerOf();
  const told: number[] = [];
  ledger.add({ ...GAP, rows: 3 });
  ledger.add({ ...GAP, reason: "ring_full", rows: 4, onTold: () => told.push(4) });
  ledger.add({ ...GAP, reason: "ring_full", rows: 5, onTold: () => told.push(5) });
  assert.equal(ledger.untoldOf("market_data"), 3);
  room.is = false;
  clock.advance(10_000);
  ledger.add({ ...GAP, reason: "ring_full", rows: 6, onTold: () => told.push(6) });
  room.is = true;
  clock.advance(10_000);
  assert.deepEqual([ledger.untoldOf("market_data"), told, disk.length], [3, [], 2]);
  for (const { resolve } of disk) resolve();
  await Promise.all(disk.map(({ promise }) => promise));
  assert.deepEqual([ledger.untoldOf("market_data"), told.sort()], [0, [4, 5, 6]]);
});

test("rows that are dropped while a gap finds no room are told with it, and gaps written meanwhile once", () => {
  const clock = new ManualClock();
  const written: [string, number][] = [];
  let tries = 0;
  const ledger: GapLedger = new GapLedger({
    clock,
    write: ({ table, rows, others }) => {
      tries += 1;
      if (tries === 1) {
        ledger.add({ ...GAP, rows: 5, by: [[of("A"), 2]] });
        ledger.flush();
        return undefined;
      }
      written.push([table, rows + others]);
      return { durable: Promise.resolve() };
    },
  });
  ledger.add({ ...GAP, by: [[of("A"), 1]] });
  ledger.add({ ...GAP, table: "ticks", by: [[of("A"), 1]] });
  clock.advance(10_000);
  clock.advance(10_000);
  assert.deepEqual(
    written.sort(),
    [
      ["market_data", 8],
      ["market_data", 1],
      ["ticks", 1],
    ].sort(),
  );
});

test("a source is asked before anything is written; a watched one all the time, until the ledger is closed", () => {
  const { clock, written, ledger } = ledgerOf();
  let rows = 0;
  ledger.watch(() => [{ ...GAP, rows }]);
  clock.advance(10_000);
  assert.equal(written.length, 0);
  rows = 8;
  clock.advance(10_000);
  assert.deepEqual(
    written.map((gap) => gap.rows),
    [8],
  );
  ledger.close();
  assert.equal(written.length, 2);
  clock.advance(60_000);
  assert.equal(written.length, 2);
});

test("rows that died with a thread are told at once: the next thread may live no ten seconds either", () => {
  const { written, ledger } = ledgerOf();
  ledger.add(GAP);
  ledger.add({ ...GAP, reason: "pipeline_died", rows: 3, run: "7" });
  assert.deepEqual(
    written.map(({ reason, rows }) => [reason, rows]),
    [
      ["queue_full", 1],
      ["pipeline_died", 3],
    ],
  );
});

test("series that come and go without end take no memory without end, and their rows are counted", () => {
  const { written, ledger } = ledgerOf();
  const missing = new MissingRows();
  for (let row = 0; row < 150_000; row += 1) missing.add(of(`S${row % 120_000}`), row);
  const { rows, by } = missing.take();
  assert.deepEqual([rows, by.length], [150_000, 100_000]);
  ledger.add({ ...GAP, rows, by });
  ledger.flush();
  const [{ named, others } = { named: [], others: 0 }] = written;
  assert.equal(others + named.reduce((sum, [, each]) => sum + each, 0), 150_000);
});

test("the row that tells of a gap", () => {
  const { written, ledger } = ledgerOf();
  const missing = new MissingRows();
  const series = of("A");
  missing.add(series, 1_700_000_000_000_001.5);
  missing.add(series, Number.NaN);
  ledger.add({ ...GAP, ...missing.take(), reason: "sampled" });
  ledger.flush();
  assert.deepEqual(gapRow(written[0]!, 1_700_000_001_000), {
    ts: new Date(1_700_000_001_000),
    kind: "data_gap",
    severity: "warning",
    component: "policy",
    message: "2 rows of market_data are missing: sampled",
    from_ts: 1_700_000_000_000_001_500n,
    to_ts: 1_700_000_000_000_001_500n,
    rows: 2,
    attributes: {
      table: "market_data",
      reason: "sampled",
      level: "6",
      missing: '[{"symbol":"A","kind":"quote","rows":2}]',
      series: "1",
    },
  });
  assert.deepEqual(missing.take(), { rows: 0, by: [], from: undefined, to: undefined });
});
