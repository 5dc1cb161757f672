import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ColdpathError } from "../../src/base/errors.js";
import { BlockBuilder, type BlockColumn, type Row, ValueError } from "../../src/native/block.js";
import { column } from "./through-engine.js";

/** One column of each way to keep values, so that a trace left anywhere shows. */
const COLUMNS: readonly BlockColumn[] = [
  { ...column("run", "UInt64"), stamped: true },
  column("ts", "DateTime64(9, 'UTC')"),
  column("symbol", "LowCardinality(String)"),
  { name: "venue", type: "LowCardinality(Nullable(String))", required: false },
  column("kind", "Enum8('quote' = 1, 'trade' = 3)"),
  { name: "order", type: "LowCardinality(Nullable(UUID))", required: false },
  {
    name: "fill",
    type: "Tuple(lot Nullable(Int32), fee LowCardinality(String), code FixedString(3))",
    required: false,
    defaultText: '{"fee":"","code":"x"}',
  },
  { name: "px", type: "Nullable(Decimal(18, 8))", required: false },
  { name: "levels", type: "Array(Decimal(38, 8))", required: false, defaultText: "[]" },
  { name: "tags", type: "Map(LowCardinality(String), Array(String))", required: false, defaultText: "{}" },
  { name: "note", type: "String", required: false, defaultText: "none" },
];
const STAMP: Row = { run: 2n ** 64n - 1n };

const word = fc.string({ maxLength: 6 });
const goodRow: fc.Arbitrary<Row> = fc.record(
  {
    ts: fc.bigInt(0n, 2n ** 62n),
    symbol: word,
    venue: fc.option(word),
    kind: fc.constantFrom("quote", "trade"),
    order: fc.option(fc.oneof(fc.uuid(), fc.constant("00000000-0000-0000-0000-000000000000"))),
    fill: fc.record({ lot: fc.option(fc.integer()), fee: word, code: fc.constantFrom("", "abc") }),
    px: fc.option(fc.integer()),
    levels: fc.array(fc.integer(), { maxLength: 4 }),
    tags: fc.dictionary(word, fc.array(word, { maxLength: 2 }), { maxKeys: 3 }),
    note: word,
  },
  { requiredKeys: ["ts", "symbol", "kind"] },
);
/** A good row with one value spoiled, late inside a list or a map where one can be. */
const badRow: fc.Arbitrary<Row> = fc
  .tuple(
    goodRow,
    fc.constantFrom<Row>(
      { ts: 5 },
      { symbol: undefined },
      { venue: 5 },
      { kind: "auction" },
      { order: "x" },
      { fill: { lot: 5, fee: "fresh", code: "abcd" } },
      { px: "x" },
      { levels: [1, 2, "x"] },
      { tags: { fresh: ["a"], late: ["b", 5] } },
      { note: "\ud800" },
    ),
  )
  .map(([row, spoiled]) => ({ ...row, ...spoiled }));

function filled(rows: readonly Row[]): BlockBuilder {
  const builder = new BlockBuilder(COLUMNS);
  for (const row of rows) builder.append(row, STAMP);
  return builder;
}

describe("a block is made of the rows that are in it and of nothing else", () => {
  test("refused rows leave no trace in the bytes", () => {
    const rows = fc.array(
      fc.oneof(
        goodRow.map((row) => ({ row, good: true })),
        badRow.map((row) => ({ row, good: false })),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(rows, (list) => {
        const builder = new BlockBuilder(COLUMNS);
        for (const { row, good } of list) {
          if (good) builder.append(row, STAMP);
          else assert.throws(() => builder.append(row, STAMP), ValueError);
        }
        const good = list.filter((item) => item.good).map((item) => item.row);
        assert.equal(builder.rows, good.length);
        assert.deepEqual(builder.encode(), filled(good).encode());
      }),
    );
  });

  test("a range of rows has the bytes of a block of just these rows", () => {
    const cut = fc
      .array(goodRow, { maxLength: 40 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.nat(rows.length), fc.nat(rows.length)));
    fc.assert(
      fc.property(cut, ([rows, a, b]) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        assert.deepEqual(filled(rows).encode(from, to), filled(rows.slice(from, to)).encode());
      }),
    );
  });

  test("rows taken back or cleared away are as if they had never been", () => {
    fc.assert(
      fc.property(fc.array(goodRow), fc.array(goodRow, { maxLength: 5 }), (kept, dropped) => {
        const builder = filled(dropped);
        builder.clear();
        for (const row of [...kept, ...dropped]) builder.append(row, STAMP);
        for (const _ of dropped) builder.removeLast();
        assert.equal(builder.rows, kept.length);
        assert.deepEqual(builder.encode(), filled(kept).encode());
      }),
    );
  });

  test("the size told while filling is the encoded size, or a little more", () => {
    fc.assert(
      fc.property(fc.array(goodRow, { minLength: 1, maxLength: 300, size: "max" }), (rows) => {
        const builder = filled(rows);
        const { length } = builder.encode();
        assert(builder.bytes >= length, `${builder.bytes} told, ${length} encoded`);
        assert(builder.bytes <= length + 200, `${builder.bytes} told, ${length} encoded`);
      }),
    );
  });

  test("two builders of one table do not share rows", () => {
    const one = filled([{ ts: 1n, symbol: "a", kind: "quote" }]);
    const two = new BlockBuilder(COLUMNS);
    two.append({ ts: 2n, symbol: "b", kind: "trade" }, STAMP);
    assert.equal(one.valueText("symbol", 0), "a");
    assert.equal(two.valueText("symbol", 0), "b");
  });

  test("an encoded block does not change when its builder is used again", () => {
    const builder = filled([{ ts: 1n, symbol: "a", kind: "quote" }]);
    const block = builder.encode();
    const copy = Buffer.from(block);
    builder.clear();
    builder.append({ ts: 2n, symbol: "b", kind: "trade" }, STAMP);
    builder.encode();
    assert.deepEqual(block, copy);
  });
});

describe("a missing value", () => {
  const row = { ts: 1n, symbol: "a", kind: "quote" };
  const first = (name: string, extra: Row): string | null =>
    filled([{ ...row, ...extra }]).valueText(name, 0);

  test("is the DEFAULT of its column", () => {
    assert.equal(first("note", {}), "none");
    assert.equal(first("note", { note: undefined }), "none");
  });

  test("is the list or map that the DEFAULT says", () => {
    const columns: BlockColumn[] = [
      { name: "levels", type: "Array(Decimal(38, 8))", required: false, defaultText: '["1.5",2]' },
      { name: "tags", type: "Map(String, Array(String))", required: false, defaultText: '{"a":["b"]}' },
    ];
    const [missing, given] = [new BlockBuilder(columns), new BlockBuilder(columns)];
    missing.append({}, {});
    given.append({ levels: ["1.5", 2], tags: { a: ["b"] } }, {});
    assert.deepEqual(missing.encode(), given.encode());
  });

  test("is NULL if the type is Nullable", () => {
    assert.equal(first("px", {}), null);
    assert.equal(first("venue", {}), null);
  });

  test("is refused if the column is required", () => {
    const missing = { ts: 1n, kind: "quote" };
    assert.throws(() => filled([missing]), { column: "symbol", reason: "is required" });
  });

  test("is not the same as null, which never becomes the DEFAULT", () => {
    assert.throws(() => first("note", { note: null }), { column: "note" });
  });

  test("of a stamped column is looked for in the stamp only", () => {
    assert.equal(first("run", { run: 5n }), `${2n ** 64n - 1n}`);
    assert.throws(() => new BlockBuilder(COLUMNS).append({ ...row, run: 5n }, {}), { column: "run" });
  });
});

describe("columns that cannot be written are refused when the builder is made", () => {
  for (const [type, extra, reason] of [
    ["IntervalSecond", {}, "column c: the type IntervalSecond is not supported"],
    [
      "AggregateFunction(quantiles(0.5, 0.9), Nullable(Float64))",
      {},
      "column c: the type AggregateFunction(quantiles(0.5, 0.9), Nullable(Float64)) is not supported",
    ],
    ["Array(Tuple(t Time, s String))", {}, "column c: the type Time is not supported"],
    ["Tuple()", {}, "column c: the type Tuple is not supported"],
    ["LowCardinality(Float64)", {}, "column c: the type LowCardinality(Float64) is not supported"],
    [
      "LowCardinality(Decimal(9, 2))",
      {},
      "column c: the type LowCardinality(Decimal(9, 2)) is not supported",
    ],
    ["Nullable(Tuple(a Int8))", {}, "column c: the type Nullable(Tuple(a Int8)) is not supported"],
    ["FixedString(0)", {}, "column c: the type FixedString(0) is not supported"],
    ["DateTime64(10)", {}, "column c: the type DateTime64(10) is not supported"],
    ["Decimal(77, 2)", {}, "column c: the type Decimal(77, 2) is not supported"],
    ["Decimal(9, 10)", {}, "column c: the type Decimal(9, 10) is not supported"],
    ["Array(Int8", {}, "column c: cannot read the type Array(Int8 at character 11"],
    ["Tuple(a Int8", {}, "column c: cannot read the type Tuple(a Int8 at character 13"],
    ["Int8 Int8", {}, "column c: cannot read the type Int8 Int8 at character 6"],
    ["UInt8", { required: false, defaultText: "x" }, "column c: the DEFAULT x is not a decimal number"],
    ["Array(UInt8)", { required: false, defaultText: "[1," }, "column c: the DEFAULT [1, is not an array"],
    [
      "UInt8",
      { required: false },
      "column c: without a DEFAULT, null is not allowed, the type is not Nullable",
    ],
  ] as const) {
    test(reason, () => {
      assert.throws(
        () => new BlockBuilder([{ ...column("c", type), ...extra }]),
        (error) =>
          error instanceof ColdpathError && error.code === "TYPE_UNSUPPORTED" && error.message === reason,
      );
    });
  }
});

/** Nanoseconds that ticks of so many can count: what an Int64 holds, within the years 1 to 9999. */
function timeRange(tick: bigint): [bigint, bigint] {
  const years: [bigint, bigint] = [-62_135_596_800n * 10n ** 9n, 253_402_300_799n * 10n ** 9n];
  const limit = (2n ** 63n - 1n) * tick;
  return [years[0] < -limit ? -limit : years[0], years[1] > limit ? limit : years[1]];
}

describe("an appended value can be asked for", () => {
  test("the second a time lies in is rounded down, at every precision and on both sides of 1970", () => {
    for (let digits = 0; digits <= 9; digits += 1) {
      const tick = 10n ** BigInt(9 - digits);
      const [least, limit] = timeRange(tick);
      const builder = new BlockBuilder([column("t", `DateTime64(${digits})`)]);
      const edges = fc
        .bigInt(least / 10n ** 9n + 1n, limit / 10n ** 9n)
        .map((second) => (second * 10n ** 9n) / tick);
      const ticks = fc.oneof(
        fc.bigInt(least / tick, limit / tick),
        edges,
        edges.map((edge) => edge - 1n),
      );
      for (const value of fc.sample(ticks, { numRuns: 1000, seed: 7 })) {
        builder.append({ t: value * tick }, {});
        const seconds = builder.secondsOf("t", builder.rows - 1);
        const start = BigInt(seconds) * 10n ** 9n;
        assert(
          start <= value * tick && value * tick < start + 10n ** 9n,
          `${digits} digits: ${value} in ${seconds}`,
        );
      }
    }
  });

  test("days and whole seconds too; NULL has none", () => {
    const builder = new BlockBuilder([
      column("d", "Date"),
      column("e", "Date32"),
      column("t", "DateTime"),
      column("l", "LowCardinality(Date)"),
      { name: "m", type: "LowCardinality(Nullable(DateTime))", required: false },
      { name: "n", type: "Nullable(DateTime)", required: false },
    ]);
    builder.append({ d: "2149-06-06", e: "1969-12-31", t: "2106-02-07T06:28:15Z", l: "1970-01-02" }, {});
    const seconds = ["d", "e", "t", "l", "m", "n"].map((name) => builder.secondsOf(name, 0));
    assert.deepEqual(seconds, [65_535 * 86_400, -86_400, 2 ** 32 - 1, 86_400, Number.NaN, Number.NaN]);
  });

  test("its text is ClickHouse's for integers, strings, enums and bools", () => {
    const values: Row = {
      Int8: -128,
      UInt16: 65_535,
      Int32: -(2 ** 31),
      UInt32: 2 ** 32 - 1,
      Int64: -(2n ** 63n),
      UInt64: 2n ** 64n - 1n,
      Int128: -(2n ** 127n),
      String: "é".repeat(100),
      "LowCardinality(String)": "",
      "Enum16('low' = -3, 'high' = 300)": "low",
      Bool: true,
      UUID: "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
      IPv4: "255.0.10.1",
      "LowCardinality(Int8)": -5,
    };
    const builder = new BlockBuilder(Object.keys(values).map((type) => column(type, type)));
    builder.append(values, {});
    for (const [type, value] of Object.entries(values)) assert.equal(builder.valueText(type, 0), `${value}`);
  });
});
