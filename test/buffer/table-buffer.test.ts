import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "../../src/buffer/batch.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import type { TableBuffer } from "../../src/buffer/table-buffer.js";
import { ValueError } from "../../src/native/block.js";
import { at, bufferFor, DAILY, tableWith, YEAR_MS } from "./fixture.js";

function takeAll(buffer: TableBuffer): Batch[] {
  const batches: Batch[] = [];
  for (let taken = buffer.take(); taken !== undefined; taken = buffer.take()) batches.push(taken.batch);
  return batches;
}

test("a batch is due when it has enough rows", () => {
  const { buffer, due } = bufferFor(DAILY);
  for (let i = 0; i < 9; i += 1) buffer.append({ ts: at(i) }, undefined);
  assert.equal(due.count, 0);
  buffer.append({ ts: at(9) }, undefined);
  assert.equal(due.count, 1);
  const [batch] = takeAll(buffer);
  assert.deepEqual([batch!.rows, batch!.firstSeq, batch!.lastSeq], [10, "1", "10"]);
  assert.equal(batch!.partition.key, "2024-08-08");
});

test("a batch is due when it has enough bytes, also if one row has them all", () => {
  const { buffer, due } = bufferFor(DAILY, { flush: { rows: 1000, bytes: 100_000, age: 250 } });
  for (let i = 0; i < 100; i += 1) buffer.append({ ts: at(i), note: "x".repeat(900) }, undefined);
  assert.equal(due.count, 0);
  for (let i = 0; i < 80; i += 1) buffer.append({ ts: at(i), note: "x".repeat(900) }, undefined);
  assert.equal(due.count, 1);
  const large = bufferFor(DAILY, { flush: { rows: 1000, bytes: 100_000, age: 250 } });
  large.buffer.append({ ts: at(0), note: "x".repeat(200_000) }, undefined);
  assert.equal(large.due.count, 1);
});

test("a batch is due when its first row is old enough, and the timer rests when nothing is open", () => {
  const { buffer, clock, due } = bufferFor(DAILY);
  buffer.append({ ts: at(0) }, undefined);
  clock.advance(200);
  buffer.append({ ts: at(0) }, undefined);
  clock.advance(49);
  assert.equal(due.count, 0);
  clock.advance(1);
  assert.equal(due.count, 1);
  assert.equal(takeAll(buffer)[0]!.rows, 2);
  assert.equal(clock.timers, 0);
});

test("a due batch grows until the sink takes it, but not beyond its share of the queue", () => {
  const { buffer, due } = bufferFor(DAILY, { queueRows: 800 });
  for (let i = 0; i < 250; i += 1) buffer.append({ ts: at(i) }, undefined);
  assert.equal(due.count, 3);
  assert.deepEqual(
    takeAll(buffer).map((batch) => batch.rows),
    [100, 100, 50],
  );
});

test("a due batch grows to an eighth of the memory, and to a quarter while limits are stretched", () => {
  const memory = 2 ** 23;
  const LOOK_BYTES = 2 ** 16;
  const largestAt = (stretch: number): number => {
    const budget = new MemoryBudget(memory);
    const flush = { rows: 1000, bytes: memory / 16, age: 250 };
    const { buffer } = bufferFor(DAILY, { budget, flush, queueRows: 100_000 });
    buffer.stretch(stretch);
    for (let i = 0; i < 3000; i += 1) buffer.append({ ts: at(i), note: "x".repeat(1000) }, undefined);
    return Math.max(...takeAll(buffer).map((batch) => batch.encode().length));
  };
  assert.ok(Math.abs(largestAt(1) - memory / 8) < LOOK_BYTES, `${largestAt(1)}`);
  assert.ok(Math.abs(largestAt(8) - memory / 4) < LOOK_BYTES, `${largestAt(8)}`);
});

test("rows of different partitions go into different batches, whose numbers have no holes", () => {
  const { buffer, clock } = bufferFor(DAILY);
  const day = 86_400_000;
  for (const ms of [0, -day, 1, 2, -day, -2 * day, 3]) buffer.append({ ts: at(ms) }, undefined);
  clock.advance(250);
  const found = takeAll(buffer).map((batch) => [
    batch.partition.key,
    batch.rows,
    batch.firstSeq,
    batch.lastSeq,
  ]);
  assert.deepEqual(found, [
    ["2024-08-08", 4, "1", "4"],
    ["2024-08-07", 2, "5", "6"],
    ["2024-08-06", 1, "7", "7"],
  ]);
});

test("the last instant of a day and the first of the next are apart by one nanosecond", () => {
  const { buffer, clock } = bufferFor(DAILY);
  const midnight = BigInt(Date.UTC(2024, 7, 8)) * 1_000_000n;
  for (const ts of [midnight - 1n, midnight, midnight - 1n]) buffer.append({ ts }, undefined);
  clock.advance(250);
  assert.deepEqual(
    takeAll(buffer).map((batch) => [batch.partition.key, batch.rows]),
    [
      ["2024-08-07", 2],
      ["2024-08-08", 1],
    ],
  );
});

test("months end where the calendar says", () => {
  const { buffer, clock } = bufferFor(tableWith({ kind: "month", column: "ts" }));
  for (const [month, day] of [
    [1, 29],
    [2, 1],
    [1, 1],
    [11, 31],
  ] as const) {
    const year = month === 11 ? 2023 : 2024;
    buffer.append({ ts: BigInt(Date.UTC(year, month, day, 23, 59, 59, 999)) * 1_000_000n }, undefined);
  }
  clock.advance(250);
  const found = takeAll(buffer).map((batch) => [batch.partition.key, batch.rows]);
  assert.deepEqual(found, [
    ["2024-02-01", 2],
    ["2024-03-01", 1],
    ["2023-12-01", 1],
  ]);
});

test("a column of any type may be the partition", () => {
  const { buffer, clock } = bufferFor(tableWith({ kind: "column", column: "symbol" }));
  for (const symbol of ["EURUSD", "XAU\tUSD", "EURUSD"]) buffer.append({ ts: at(0), symbol }, undefined);
  clock.advance(250);
  const found = takeAll(buffer).map((batch) => [batch.partition.key, batch.rows]);
  assert.deepEqual(found, [
    ["EURUSD", 2],
    ["XAU\tUSD", 1],
  ]);
});

test("a table that is not partitioned has one batch, and takes any time", () => {
  const { buffer, clock } = bufferFor(tableWith({ kind: "none" }));
  for (const year of [1700, 2024, 2200])
    buffer.append({ ts: BigInt(Date.UTC(year, 0)) * 1_000_000n }, undefined);
  clock.advance(250);
  assert.deepEqual(
    takeAll(buffer).map((batch) => batch.rows),
    [3],
  );
});

test("event times outside the window are refused, never clamped, and use no number", () => {
  const { buffer, clock } = bufferFor(DAILY);
  const now = Date.UTC(2024, 7, 8, 12);
  const append = (ms: number): void => void buffer.append({ ts: BigInt(ms) * 1_000_000n }, undefined);
  append(now);
  append(now - 30 * YEAR_MS);
  append(now + 86_400_000);
  for (const ms of [0, now - 30 * YEAR_MS - 1000, now + 86_401_000])
    assert.throws(
      () => append(ms),
      (error) => error instanceof ValueError && error.column === "ts",
    );
  // The window moves with the clock.
  clock.advance(1000);
  append(now + 86_401_000);
  assert.throws(() => append(now - 30 * YEAR_MS), ValueError);
  buffer.offerAll();
  const batches = takeAll(buffer);
  assert.deepEqual(batches.map((batch) => batch.lastSeq).sort(), ["1", "2", "4"]);
  assert.equal(buffer.pendingRows, 4);
});

test("a window that ends within a day refuses the rest of that day", () => {
  const { buffer } = bufferFor(DAILY);
  const end = at(86_400_000);
  buffer.append({ ts: end - 1_000_000_000n }, undefined);
  assert.throws(() => buffer.append({ ts: end + 1_000_000_000n }, undefined), ValueError);
});

test("a row that does not fit uses no number and leaves no trace", () => {
  const { buffer } = bufferFor(DAILY);
  for (const row of [{}, { ts: at(0), px: "many" }, { ts: at(0), px: "1e30" }])
    assert.throws(() => buffer.append(row, undefined), ValueError);
  buffer.append({ ts: at(0) }, undefined);
  assert.throws(() => buffer.append({ ts: at(0), px: "many" }, undefined), ValueError);
  buffer.append({ ts: at(0) }, undefined);
  buffer.offerAll();
  const [batch] = takeAll(buffer);
  assert.deepEqual([batch!.rows, batch!.firstSeq, batch!.lastSeq], [2, "1", "2"]);
});

test("columns that the recorder or ClickHouse writes are refused in rows, whatever their value", () => {
  const { buffer } = bufferFor(DAILY);
  for (const column of ["env", "recorder", "run", "seq", "ts_ingest"])
    for (const value of ["1", null])
      assert.throws(
        () => buffer.append({ ts: at(0), [column]: value }, undefined),
        (error) => error instanceof ValueError && error.column === column,
      );
  assert.equal(buffer.pendingRows, 0);
});

test("source and source_seq come from the origin, or from the row if there is none", () => {
  const { buffer } = bufferFor(DAILY);
  const rows = [
    buffer.append({ ts: at(0), source: "row", source_seq: 1 }, { source: "file", seq: 2n ** 64n - 1n }),
    buffer.append({ ts: at(86_400_000), source: "row", source_seq: 3 }, undefined),
    buffer.append({ ts: at(-86_400_000) }, undefined),
  ];
  buffer.offerAll();
  assert.equal(rows.length, 3);
  const found = takeAll(buffer).map((batch) => [batch.firstValue("source"), batch.firstValue("source_seq")]);
  assert.deepEqual(found, [
    ["file", "18446744073709551615"],
    ["row", "3"],
    ["", null],
  ]);
});

test("only so many partitions are open at once: the fullest is closed for another", () => {
  const { buffer, due } = bufferFor(DAILY, { openMax: 3 });
  for (const day of [1, 2, 2, 3]) buffer.append({ ts: at(-day * 86_400_000) }, undefined);
  assert.equal(due.count, 0);
  buffer.append({ ts: at(-4 * 86_400_000) }, undefined);
  assert.equal(due.count, 1);
  assert.deepEqual(
    takeAll(buffer).map((batch) => [batch.partition.key, batch.rows]),
    [["2024-08-06", 2]],
  );
});

test("a batch gives the same bytes whenever it is encoded, and its halves hold its rows in order", () => {
  const { buffer } = bufferFor(DAILY);
  for (let i = 0; i < 7; i += 1) buffer.append({ ts: at(i), px: `${i}.5`, symbol: `S${i % 3}` }, undefined);
  buffer.offerAll();
  const taken = buffer.take()!;
  const bytes = taken.batch.encode();
  for (let i = 0; i < 20; i += 1) buffer.append({ ts: at(i) }, undefined);
  assert.deepEqual(taken.batch.encode(), bytes);
  const [left, right] = taken.batch.halves();
  assert.deepEqual([left.rows, left.firstSeq, left.lastSeq, left.name], [3, "1", "3", "1.0-3"]);
  assert.deepEqual([right.rows, right.firstSeq, right.lastSeq, right.name], [4, "4", "7", "1.3-7"]);
  assert.equal(right.halves()[0].name, "1.3-5");
});

test("released batches give their memory back to the budget and to the next batch", () => {
  const { buffer, budget } = bufferFor(DAILY);
  let first: Buffer | undefined;
  for (let round = 0; round < 10; round += 1) {
    for (let i = 0; i < 10; i += 1) buffer.append({ ts: at(i), symbol: "EURUSD" }, undefined);
    const { open, batch } = buffer.take()!;
    assert.ok(budget.used > 0);
    first ??= batch.encode();
    assert.equal(batch.encode().length, first.length);
    buffer.settle(batch.rows);
    buffer.release(open);
    assert.equal(budget.used, 0);
    assert.equal(buffer.pendingRows, 0);
  }
});

test("stretched limits make fewer and larger batches, up to eight times", () => {
  const { buffer, due } = bufferFor(DAILY);
  buffer.stretch(100);
  assert.equal(buffer.stretched, 8);
  for (let i = 0; i < 79; i += 1) buffer.append({ ts: at(i) }, undefined);
  assert.equal(due.count, 0);
  buffer.append({ ts: at(79) }, undefined);
  assert.equal(due.count, 1);
});

test("a column that cannot be written is refused with the name of its table", () => {
  const table = tableWith({ kind: "none" }, { when: "Time64(9)" });
  assert.throws(() => bufferFor(table), {
    code: "TYPE_UNSUPPORTED",
    message: "table t, column when: the type Time64(9) is not supported",
  });
});

test("other limits hold for what is open: fewer rows close it, a shorter age counts from its first row", () => {
  const limits = { rows: 1000, bytes: 2 ** 20, age: 60_000 };
  const { buffer, clock, due } = bufferFor(DAILY, { flush: limits });
  for (let i = 0; i < 50; i += 1) buffer.append({ ts: at(i) }, undefined);
  clock.advance(1000);
  buffer.setFlush({ ...limits, rows: 51 });
  assert.equal(due.count, 0);
  buffer.setFlush({ ...limits, rows: 50 });
  assert.equal(due.count, 1);
  assert.deepEqual([takeAll(buffer)[0]!.rows, clock.timers], [50, 0]);
  buffer.append({ ts: at(0) }, undefined);
  clock.advance(1000);
  buffer.setFlush({ ...limits, age: 1500 });
  clock.advance(499);
  assert.equal(due.count, 1);
  clock.advance(1);
  assert.equal(due.count, 2);
  assert.equal(takeAll(buffer)[0]!.rows, 1);
  buffer.append({ ts: at(0) }, undefined);
  buffer.setFlush(limits);
  clock.advance(59_999);
  assert.equal(due.count, 2, "a longer age holds for it, too");
  clock.advance(1);
  assert.deepEqual([due.count, takeAll(buffer)[0]!.rows, clock.timers], [3, 1, 0]);
});
