import assert from "node:assert/strict";
import { test } from "node:test";
import { BuilderPool } from "../../src/buffer/builder-pool.js";
import { EventWindow } from "../../src/buffer/event-window.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import { sentColumns } from "../../src/buffer/stamp.js";
import { BlockBuilder } from "../../src/native/block.js";
import type { Table } from "../../src/schemas/table.js";
import { Commits } from "../../src/wal/commits.js";
import { FrameBatches } from "../../src/wal/frame-batches.js";
import { type CutFrame, FrameBuilder } from "../../src/wal/frame-builder.js";
import { type Frame, FrameQueue } from "../../src/wal/frame-queue.js";
import type { LogRecord } from "../../src/wal/records.js";
import type { Committed } from "../../src/wal/recovered.js";
import { at, DAILY, tableWith, YEAR_MS } from "../buffer/fixture.js";
import { ManualClock } from "../support/clock.js";

const RUN = 18446744073709551615n;
const DAY_MS = 86_400_000;

function framesOf(table: Table = DAILY, clock: ManualClock = new ManualClock()): FrameBuilder {
  return new FrameBuilder({
    table,
    identity: { env: "test", recorder: "r", run: RUN },
    window: new EventWindow({ past: 30 * YEAR_MS, future: DAY_MS }, clock),
    pool: new BuilderPool(sentColumns(table), new MemoryBudget(2 ** 30)),
    clock,
    fates: { wanted: () => {}, storedOf: async () => {} },
    mostRows: () => 100,
    onBytes: () => {},
  });
}

/** A log that is synced when the test says so. */
class Log {
  readonly appended: (readonly LogRecord[])[] = [];
  readonly #waiting: (() => void)[] = [];
  #ordinal = 0;

  append(records: readonly LogRecord[]): Promise<Committed> {
    this.appended.push(records);
    const places = records.map(() => {
      this.#ordinal += 1;
      return { ordinal: this.#ordinal, place: { segment: 1, offset: 0, length: 0 } };
    });
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve({ upTo: this.#ordinal, places }));
    });
  }

  sync(): void {
    this.#waiting.shift()!();
  }
}

/** A table whose rows the test puts into commits. */
function committing(log: Log, clock: ManualClock) {
  const commits = new Commits({ log, delayMs: 2, clock });
  const frames = framesOf(DAILY, clock);
  const synced: number[] = [];
  commits.add({
    get uncutAt() {
      return frames.oldestAt;
    },
    cut: () => frames.cut(),
    synced: (cut: readonly CutFrame[], ordinals) => {
      synced.push(...ordinals);
      for (const { ticket } of cut) ticket.synced();
    },
    failed: () => assert.fail("the log takes everything"),
  });
  const offer = (ms = 0) => {
    const { ticket } = frames.append({ ts: at(ms) }, undefined);
    commits.touched();
    return ticket;
  };
  return { commits, offer, synced };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("rows that nobody waits for share a commit, begun when the first has waited for its time", async () => {
  const [log, clock] = [new Log(), new ManualClock()];
  const { offer } = committing(log, clock);
  offer();
  clock.advance(1);
  offer();
  assert.equal(log.appended.length, 0);
  clock.advance(1);
  assert.equal(log.appended.length, 1);
  assert.equal((log.appended[0]![0] as { count: number }).count, 2);
});

test("who waits does not wait for the time, but for the commit that runs; what came meanwhile goes into the next", async () => {
  const [log, clock] = [new Log(), new ManualClock()];
  const { commits, offer, synced } = committing(log, clock);
  offer();
  const first = commits.durable();
  await nextTurn();
  assert.equal(log.appended.length, 1);
  offer();
  offer(DAY_MS);
  let isDurable = false;
  const second = commits.durable().then(() => {
    isDurable = true;
  });
  clock.advance(100);
  await nextTurn();
  assert.equal(log.appended.length, 1, "one commit at a time");
  log.sync();
  await first;
  await nextTurn();
  assert.deepEqual([log.appended.length, isDurable], [2, false]);
  log.sync();
  await second;
  assert.deepEqual(synced, [1, 2, 3]);
});

test("numbers are contiguous within a frame, and over frames in the order of the log, however partitions take turns", () => {
  const frames = framesOf();
  const days = Array.from({ length: 500 }, (_, i) => -(i % 90));
  for (const day of days) frames.append({ ts: at(day * DAY_MS) }, undefined);
  const cut = frames.cut();
  let next = 1;
  const read = new BlockBuilder(sentColumns(DAILY));
  for (const { record } of cut) {
    assert.equal(record.firstSeq, next);
    const from = read.rows;
    assert.equal(read.appendBlock(record.payload), record.count);
    for (let row = from; row < read.rows; row += 1) {
      assert.equal(read.valueText("seq", row), String(next));
      const day = new Date(read.secondsOf("ts", row) * 1000).toISOString().slice(0, 10);
      assert.equal(day, record.partition);
      next += 1;
    }
  }
  assert.equal(next, 501);
  assert.equal(frames.rows, 0);
});

test("a frame ends at its largest size, and a row that does not fit takes no number", () => {
  const frames = framesOf();
  for (let i = 0; i < 250; i += 1) frames.append({ ts: at(i) }, undefined);
  assert.throws(() => frames.append({ ts: at(0), px: "much" }, undefined), { code: "VALUE_REJECTED" });
  assert.deepEqual(
    frames.cut().map(({ record: { firstSeq, count } }) => [firstSeq, count]),
    [
      [1, 100],
      [101, 100],
      [201, 50],
    ],
  );
});

function frame(firstSeq: number, count: number, more: Partial<Frame> = {}): Frame {
  return {
    run: RUN,
    partition: "2024-08-08",
    firstSeq,
    count,
    payload: new Uint8Array(10),
    openedAt: 1000,
    ...more,
  };
}

function queueOn(clock: ManualClock): { queue: FrameQueue; groups: () => number[][] } {
  const queue = new FrameQueue({ flush: { rows: 10, bytes: 2 ** 20, age: 250 }, clock, onDue: () => {} });
  const groups = (): number[][] => {
    const taken: number[][] = [];
    for (let group = queue.take(); group !== undefined; group = queue.take())
      taken.push(group.frames.map(({ firstSeq }) => firstSeq));
    return taken;
  };
  return { queue, groups };
}

test("frames become a batch by rows or age, by partition and run, and grow until they are taken", () => {
  const clock = new ManualClock();
  const { queue, groups } = queueOn(clock);
  queue.push(frame(1, 5));
  queue.push(frame(6, 5, { partition: "2024-08-09" }));
  queue.push(frame(11, 5, { run: 1n }));
  assert.equal(queue.hasDue, false);
  queue.push(frame(16, 5));
  queue.push(frame(21, 5));
  assert.deepEqual(groups(), [[1, 16, 21]]);
  clock.advance(250);
  assert.deepEqual(groups(), [[6], [11]]);
  assert.deepEqual([queue.rows, queue.bytes, clock.timers], [0, 0, 0]);
});

test("a batch does not reach over rows that are left out", () => {
  const { queue, groups } = queueOn(new ManualClock());
  queue.push(frame(1, 5));
  queue.part({ run: RUN, partition: "2024-08-08" });
  queue.push(frame(11, 5));
  queue.offerAll();
  assert.deepEqual(groups(), [[1], [11]]);
});

test("rows taken just now make batches of their own, which take turns with those that are read back", () => {
  const { queue, groups } = queueOn(new ManualClock());
  const back = { run: RUN, partition: "2024-08-08", isReadBack: true };
  for (const first of [1, 11, 21]) queue.push(frame(first, 10, back));
  queue.part(back);
  for (const first of [101, 111]) {
    queue.push(frame(first, 10));
    queue.part({ run: RUN, partition: "2024-08-08" });
  }
  queue.push(frame(31, 10, back));
  queue.part(back);
  queue.push(frame(41, 10, back));
  assert.deepEqual([queue.rows, queue.liveRows, queue.liveBytes], [70, 20, 20]);
  assert.deepEqual(groups(), [[101], [1, 11, 21], [111], [31], [41]]);
  assert.deepEqual([queue.rows, queue.liveRows, queue.liveBytes], [0, 0, 0]);
});

test("frames with other columns are a batch of their own, with its own columns", () => {
  const wider = tableWith({ kind: "day", column: "ts" }, { more: "Nullable(Int32)" });
  const cut = (table: Table, firstSeq: number): Frame => {
    const builder = framesOf(table);
    builder.append({ ts: at(0) }, undefined);
    const { record } = builder.cut()[0]!;
    return frame(firstSeq, 1, { payload: record.payload });
  };
  const budget = new MemoryBudget(2 ** 30);
  const pool = new BuilderPool(sentColumns(wider), budget);
  const batches = new FrameBatches({ table: wider, pool, budget, onSettled: () => {} });
  const frames = [cut(DAILY, 1), cut(DAILY, 2), cut(wider, 3)];
  const old = batches.make(frames, { number: 1, inherited: true });
  assert.deepEqual([old.used, old.batch.rows, old.batch.columns.includes("more")], [2, 2, false]);
  const now = batches.make(frames.slice(2), { number: 2, inherited: false });
  assert.deepEqual([now.used, now.batch.columns.includes("more")], [1, true]);
  batches.release(old.open);
  batches.release(now.open);
  assert.equal(budget.used, 0);
});

test("other limits hold for frames that wait already", () => {
  const clock = new ManualClock();
  const { queue, groups } = queueOn(clock);
  const limits = { rows: 10, bytes: 2 ** 20, age: 250 };
  queue.push(frame(1, 5));
  queue.setFlush({ ...limits, rows: 6 });
  assert.equal(queue.hasDue, false);
  queue.setFlush({ ...limits, rows: 5 });
  assert.deepEqual(groups(), [[1]]);
  queue.push(frame(6, 4));
  clock.advance(100);
  queue.setFlush({ ...limits, age: 100 });
  clock.advance(0);
  assert.deepEqual([groups(), clock.timers], [[[6]], 0]);
});
