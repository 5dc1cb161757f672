import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { INSTANT_BASE, ms, us } from "../../src/native/instant-number.js";
import { Micros } from "../../src/native/micros.js";
import { RingConsumer } from "../../src/ring/consumer.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { HEAD_WORD, RingMemory, type RingSizes, TAIL_WORD } from "../../src/ring/memory.js";
import { RingProducer } from "../../src/ring/producer.js";
import { OtherValue } from "../../src/ring/value-reader.js";
import { type Random, randomOf, seeded } from "../support/random.js";

const LAYOUTS: readonly RecordLayout[] = [
  {
    table: "ticks",
    critical: false,
    columns: [
      { name: "ts", kind: "time" },
      { name: "symbol", kind: "name" },
      { name: "px", kind: "number" },
      { name: "sizes", kind: "list", most: 3 },
      { name: "id", kind: "text" },
      { name: "more", kind: "other" },
      { name: "n1", kind: "number" },
      { name: "n2", kind: "number" },
      { name: "n3", kind: "number" },
    ],
  },
  {
    table: "orders",
    critical: true,
    columns: [
      { name: "ts", kind: "time", stampedWhenAbsent: true },
      { name: "id", kind: "text" },
    ],
  },
];
/** Seeds that showed a mistake once. */
const FOUND_SOMETHING = [68_178_915, 68_207_047];
const NOW = 1_700_000_000_000_000;

function ringOf(sizes: Partial<RingSizes> = {}, reserve = 0, startAt = 0) {
  const memory = RingMemory.create({ cells: 64, texts: 8, textBytes: 64, tables: 2, ...sizes });
  memory.words[HEAD_WORD] = startAt;
  memory.words[TAIL_WORD] = startAt;
  memory.released[0] = startAt;
  const open = () => new RingProducer({ buffer: memory.buffer, layouts: LAYOUTS, reserve, now: () => NOW });
  return { memory, open, producer: open(), read: () => new RingConsumer(memory.buffer, LAYOUTS) };
}

type AnyRow = Record<string, unknown>;

/** Rows as plain values that can be kept and compared. */
function plain(value: unknown): unknown {
  if (value instanceof Micros) return { micros: value.micros, nanos: value.nanos };
  if (value instanceof OtherValue) return { other: value.kind };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

interface Drained {
  readonly table: number;
  readonly row: unknown;
}

function drainAll(consumer: RingConsumer, most = Infinity, full: readonly number[] = []): Drained[] {
  const rows: Drained[] = [];
  consumer.drain(most, (table, row) => !full.includes(table) && rows.push({ table, row: plain(row) }) > 0);
  consumer.release(consumer.position);
  return rows;
}

/** What a drain takes out of a plain queue: a full table holds up itself, a second one all behind it. */
function drainQueue(queue: Drained[], most: number, full: readonly number[]): Drained[] {
  const taken: Drained[] = [];
  const left: Drained[] = [];
  let waiting: number | undefined;
  for (const [index, entry] of queue.entries()) {
    const isFull = full.includes(entry.table);
    if (taken.length === most || (isFull && waiting !== undefined && waiting !== entry.table)) {
      left.push(...queue.slice(index));
      break;
    }
    if (isFull) waiting = entry.table;
    (isFull ? left : taken).push(entry);
  }
  queue.splice(0, queue.length, ...left);
  return taken;
}

/** A value of any kind, and how it must arrive. */
function anyValue(pick: Random, depth = 0): [given: unknown, arrives: unknown] {
  const scalars: [unknown, unknown][] = [
    [undefined, undefined],
    [null, null],
    [true, true],
    [false, false],
    [pick.of([0, -0, 1.5, -1e300, 5e-324, NaN, Infinity, 2 ** 53 + 2]), 0],
    [pick.bits64(), 0],
    [2n ** 100n + pick.bits64(), 0],
    ["x".repeat(pick.below(20)), 0],
    [pick.of(["", "é", "日本語", "\ud800 alone", "tail\udfff", "🚀", "a\u0000b"]), 0],
    [new Date(1_700_000_000_123), { micros: 1_700_000_000_123_000, nanos: 0 }],
    [new Date(NaN), { micros: NaN, nanos: 0 }],
    [Symbol("s"), { other: "symbol" }],
    [() => 1, { other: "function" }],
    [/x/, { other: "RegExp" }],
  ];
  const [given, arrives] = scalars[pick.below(scalars.length)]!;
  if (depth > 2 || pick.below(4) > 0) return [given, arrives === 0 ? given : arrives];
  const inner = Array.from({ length: pick.below(4) }, () => anyValue(pick, depth + 1));
  if (pick.below(2) === 0) return [inner.map(([value]) => value), inner.map(([, value]) => value)];
  const keyed = (at: 0 | 1): AnyRow =>
    Object.fromEntries(inner.map((pair, index) => [`k${index}`, pair[at]]));
  return [keyed(0), keyed(1)];
}

function anyRow(pick: Random): { table: number; given: AnyRow; arrives: AnyRow } {
  const table = pick.below(2);
  const given: AnyRow = {};
  const arrives: AnyRow = {};
  for (const { name, kind, most = Infinity, stampedWhenAbsent } of LAYOUTS[table]!.columns) {
    const isInstant = kind === "time" && pick.below(2) === 0;
    const [value, expected] = isInstant ? [us(NOW + 5), { micros: NOW + 5, nanos: 0 }] : anyValue(pick);
    if (value !== undefined || pick.below(2) === 0) given[name] = value;
    arrives[name] = Array.isArray(expected) ? expected.slice(0, most) : expected;
    if (value === undefined && stampedWhenAbsent) arrives[name] = { micros: NOW, nanos: 0 };
  }
  return { table, given, arrives };
}

test("whatever is recorded arrives as it was, in order, through rings so small that every wrap happens", (context) => {
  for (const seed of FOUND_SOMETHING) againstModel(seeded(seed));
  againstModel(randomOf(context));
});

/** Random rows, drains and restarts of both sides, against a plain queue. */
function againstModel(pick: Random): void {
  for (let round = 0; round < 60; round += 1) {
    const cells = 2 ** (6 + pick.below(4));
    const startAt = pick.below(2) === 0 ? 0 : 0x7fff_ffff - pick.below(cells);
    const ring = ringOf({ cells }, 0, startAt);
    let { producer } = ring;
    let consumer = ring.read();
    const queue: Drained[] = [];
    let full: readonly number[] = [];
    let refused = 0;
    for (let step = 0; step < 400; step += 1) {
      const what = pick.below(20);
      if (what === 0) producer = ring.open();
      else if (what === 1) consumer = ring.read();
      else if (what < 6) {
        if (pick.below(3) === 0) full = pick.of([[], [0], [1], [0, 1]]);
        const most = 1 + pick.below(5);
        assert.deepEqual(drainAll(consumer, most, full), drainQueue(queue, most, full));
      } else {
        const { table, given, arrives } = anyRow(pick);
        if (producer.recordOf(LAYOUTS[table]!.table)(given)) queue.push({ table, row: arrives });
        else refused += 1;
      }
    }
    assert.deepEqual(drainAll(consumer), queue);
    const counts = [0, 1].map((table) => ring.memory.countersOf(table));
    assert.equal(counts[0]![1]! + counts[0]![2]! + counts[1]![1]! + counts[1]![2]!, refused);
  }
}

test("a row that found the ring full is taken once there is room, a row that is too large never", () => {
  const { producer, read, memory } = ringOf({ cells: 128 });
  const record = producer.recordOf("orders");
  const consumer = read();
  const long = { id: "x".repeat(200) };
  while (record(long));
  drainAll(consumer);
  assert.equal(record(long), true);
  drainAll(consumer);
  assert.equal(record({ id: "x".repeat(1_000_000) }), false);
  assert.deepEqual([...memory.countersOf(1).subarray(1, 3)], [1, 1]);
});

test("the reserve takes rows of critical tables when all others are refused", () => {
  const { producer, read, memory } = ringOf({ cells: 256 }, 128);
  const tick = producer.recordOf("ticks");
  const order = producer.recordOf("orders");
  let ticks = 0;
  while (tick({ px: ticks })) ticks += 1;
  let orders = 0;
  while (order({ id: "o" })) orders += 1;
  assert.equal(tick({ px: 1 }), false);
  assert.ok(ticks > 10 && orders > 10, `${ticks} and ${orders}`);
  const got = drainAll(read());
  assert.deepEqual(
    got.map(({ table }) => table),
    [...Array(ticks).fill(0), ...Array(orders).fill(1)],
  );
  assert.deepEqual([memory.countersOf(0)[0], memory.countersOf(1)[0]], [ticks, orders]);
});

test("rows that are refused last have room when the others of their table do not, but none of the reserve", () => {
  const memory = RingMemory.create({ cells: 1024, texts: 8, textBytes: 64, tables: 2 });
  const last = { column: "symbol", text: "trade" };
  const layouts = [{ ...LAYOUTS[0]!, last }, LAYOUTS[1]!];
  const producer = new RingProducer({ buffer: memory.buffer, layouts, reserve: 512, now: () => NOW });
  const tick = producer.recordOf("ticks");
  const trade = producer.recordOf("ticks", { symbol: "trade" });
  const counts = { quote: 0, trade: 0, order: 0 };
  while (tick({ symbol: "quote", px: 1 })) counts.quote += 1;
  while (tick({ symbol: "trade", px: 1 })) counts.trade += 1;
  assert.equal(trade({ px: 1 }), false);
  const order = producer.recordOf("orders");
  while (order({ id: "o" })) counts.order += 1;
  assert.ok(
    counts.quote >= 6 * counts.trade && counts.trade >= 10 && counts.order > 0,
    JSON.stringify(counts),
  );
  const rows = drainAll(new RingConsumer(memory.buffer, layouts));
  assert.equal(rows.length, counts.quote + counts.trade + counts.order);
  while (tick({ symbol: "quote", px: 1 }));
  assert.equal(trade({ px: 1 }), true);
});

test("rows that a ring refused are told of by whoever reads it until somebody has written it down, and rows that were handed out are counted", () => {
  const { producer, read } = ringOf({ cells: 256 }, 128);
  const tick = producer.recordOf("ticks");
  let ticks = 0;
  while (tick({ px: ticks })) ticks += 1;
  tick({ px: 1 });
  const first = read();
  assert.deepEqual([first.takeRefused(0, "ringFull"), first.takeRefused(0, "ringFull")], [2, 0]);
  const taken: number[] = [];
  assert.throws(() =>
    first.drain(100, (_, row) => {
      if (taken.length === 3) throw new Error("the thread dies");
      return taken.push(Number(row["px"])) > 0;
    }),
  );
  // It has told nobody.
  const second = read();
  assert.deepEqual([second.takeRefused(0, "ringFull"), second.handed(0)], [2, 3]);
  second.toldRefused(0, "ringFull", 2);
  tick({ px: 1 });
  const third = read();
  assert.deepEqual([third.takeRefused(0, "ringFull"), third.takeRefused(0, "tooLarge")], [1, 0]);
  assert.equal(drainAll(third).length, ticks - 3);
  assert.equal(third.handed(0), ticks);
});

test("times keep microseconds and the nanoseconds given on top, and a bare number stays one", () => {
  const { producer, read } = ringOf();
  const record = producer.recordOf("ticks");
  record({ ts: us(NOW + 1), ts_ns: 789 });
  record({ ts: ms(1_700_000_000_000.5) });
  record({ ts: Date.parse("2023-11-14") });
  record({ ts: 1_700_000_000_000_000_000n });
  assert.deepEqual(
    drainAll(read()).map(({ row }) => (row as AnyRow)["ts"]),
    [
      { micros: NOW + 1, nanos: 789 },
      { micros: 1_700_000_000_000_500, nanos: 0 },
      Date.parse("2023-11-14"),
      1_700_000_000_000_000_000n,
    ],
  );
  assert.ok(INSTANT_BASE > Date.now() * 1000 * 2, "no clock counts in the range of instants");
});

test("any number of distinct names is recorded in bounded memory", () => {
  const { producer, read, memory } = ringOf({ cells: 1024, texts: 100, textBytes: 1000 });
  const record = producer.recordOf("ticks");
  const consumer = read();
  const size = memory.buffer.byteLength;
  for (let number = 0; number < 20_000; number += 1) {
    const symbol = `SYM${number}`;
    assert.equal(record({ symbol }), true);
    const [drained] = drainAll(consumer, 1);
    assert.equal((drained!.row as AnyRow)["symbol"], symbol);
  }
  assert.equal(memory.buffer.byteLength, size);
});

test("a name that throws while it is read leaves the ring as it was", () => {
  const { producer, read } = ringOf();
  const record = producer.recordOf("ticks");
  const trap = {
    px: 1,
    get n3(): number {
      throw new RangeError("trap");
    },
  };
  assert.throws(() => record(trap), /trap/);
  record({ px: 2 });
  assert.deepEqual(
    drainAll(read()).map(({ row }) => (row as AnyRow)["px"]),
    [2],
  );
});

test("a row that is not taken stays, and all of its table behind it", () => {
  const { producer, read } = ringOf({ cells: 256 });
  const record = producer.recordOf("ticks");
  for (let px = 0; px < 5; px += 1) record({ px });
  const consumer = read();
  const seen: unknown[] = [];
  let most = 2;
  const drain = (): number => consumer.drain(10, (_, row) => seen.length < most && seen.push(row["px"]) > 0);
  assert.equal(drain(), 2);
  assert.equal(drain(), 0);
  most = 9;
  assert.equal(drain(), 3);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test("a consumer on another thread never sees a torn row", { timeout: 60_000 }, async () => {
  const { memory, producer } = ringOf({ cells: 512, texts: 16, textBytes: 256 });
  const rows = 200_000;
  const worker = new Worker(new URL("./stress-consumer.js", import.meta.url), {
    workerData: { buffer: memory.buffer, layouts: LAYOUTS, rows },
  });
  const answer = once(worker, "message");
  const record = producer.recordOf("ticks");
  let full = 0;
  for (let row = 0; row < rows; ) {
    const taken = record({
      ts: us(NOW + row),
      symbol: `S${row % 10}`,
      px: row * 0.5,
      sizes: row % 3 === 0 ? [row, row + 1, row + 2] : undefined,
      id: "i".repeat(row % 23) + row,
      n3: -row,
    });
    if (taken) row += 1;
    else {
      full += 1;
      if (full % 1000 === 0) await new Promise(setImmediate);
    }
  }
  assert.deepEqual((await answer)[0], { rows, wrong: [] });
  assert.ok(full > 0, "the ring was full at times");
});

test("values of odd kinds do not make record() throw: they arrive as what no column takes", () => {
  const { producer, read } = ringOf();
  const named = { constructor: { name: 5 } };
  const odd = [Object.create(named), Object.create(Date.prototype), new Proxy(/x/, {})];
  const rows: AnyRow[] = odd.map((more) => ({ more }));
  rows.push({ ts: us(NOW), ts_ns: 5n }, { ts: us(NOW), ts_ns: Symbol("s") }, { ts: us(NOW), ts_ns: null });
  for (const row of rows) assert.ok(producer.recordOf("ticks")(row));
  const arrived = drainAll(read()).map(({ row }) => row as AnyRow);
  assert.deepEqual(
    arrived.slice(0, 3).map(({ more }) => more),
    [{ other: "object" }, { other: "Date" }, { other: "RegExp" }],
  );
  for (const { ts } of arrived.slice(3)) assert.deepEqual(ts, { micros: NOW, nanos: NaN });
});

test("a column may have any name: it is data, never code, and never what objects have by themselves", () => {
  const names = [
    "__proto__",
    "constructor",
    "toString",
    '"];throw 1;//',
    "a`b",
    "\u2028",
    "row",
    "at",
    "head",
  ];
  const layouts = [
    { table: "odd", critical: true, columns: names.map((name) => ({ name, kind: "number" as const })) },
  ];
  const { buffer } = RingMemory.create({ cells: 64, texts: 8, textBytes: 64, tables: 1 });
  const row = Object.fromEntries(names.map((name, index) => [name, index]));
  assert.ok(new RingProducer({ buffer, layouts, reserve: 0, now: () => NOW }).recordOf("odd")(row));
  const arrived: AnyRow[] = [];
  new RingConsumer(buffer, layouts).drain(1, (_table, read) => arrived.push({ ...read }) > 0);
  assert.deepEqual(arrived, [row]);
});
