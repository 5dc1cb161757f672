import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { ColdpathError } from "../../src/base/errors.js";
import { BlockBuilder, type BlockColumn, type Row } from "../../src/native/block.js";
import { columnsOf, sameColumns } from "../../src/native/block-header.js";
import { startTestEngine } from "../support/engine.js";
import { randomOf } from "../support/random.js";
import { TYPES } from "./all-types.js";
import { column, createTable, insertBlock, readBack } from "./through-engine.js";

const ROWS = 60;
const { clickhouse } = await startTestEngine({ after });

function builderOf(columns: readonly BlockColumn[], rows: readonly Row[]): BlockBuilder {
  const builder = new BlockBuilder(columns);
  for (const row of rows) builder.append(row, {});
  return builder;
}

/** A row of every type that is written, and its columns. */
const ALL: readonly BlockColumn[] = [
  column("i", "UInt64"),
  ...TYPES.map(({ type }, index) => column(`c${index}`, type)),
];

function randomRows(seed: number): Row[] {
  const values = TYPES.map(({ samples }) => fc.sample(samples, { numRuns: ROWS, seed }));
  return Array.from({ length: ROWS }, (_, i) => ({
    i,
    ...Object.fromEntries(values.map((list, index) => [`c${index}`, list[i]!.given])),
  }));
}

/** Places to cut so many rows at, some of them twice, so that pieces without rows are among them. */
const cuts = fc
  .array(fc.nat(ROWS), { maxLength: 6 })
  .map((places) => [0, ...places.sort((a, b) => a - b), ROWS]);

function piecesOf(rows: readonly Row[], places: readonly number[]): Buffer[] {
  return places.slice(1).map((to, index) => builderOf(ALL, rows.slice(places[index], to)).encode());
}

describe("blocks put together again", () => {
  test("are the block of all their rows, byte by byte, for every type", (context) => {
    const seed = randomOf(context).below(2 ** 31);
    const rows = randomRows(seed);
    const whole = builderOf(ALL, rows).encode();
    const merged = new BlockBuilder(ALL);
    fc.assert(
      fc.property(cuts, (places) => {
        merged.clear();
        for (const piece of piecesOf(rows, places)) merged.appendBlock(piece);
        assert.equal(merged.rows, ROWS);
        assert(merged.encode().equals(whole));
      }),
      { numRuns: 8, seed },
    );
  });

  test("are read by the engine as the blocks one by one", async (context) => {
    const seed = randomOf(context).below(2 ** 31);
    const pieces = piecesOf(randomRows(seed), [0, 1, 1, 17, 40, ROWS]);
    const merged = new BlockBuilder(ALL);
    const [apart, together] = [await createTable(clickhouse, ALL), await createTable(clickhouse, ALL)];
    for (const piece of pieces) {
      merged.appendBlock(piece);
      await insertBlock(clickhouse, apart, piece);
    }
    await insertBlock(clickhouse, together, merged.encode());
    const got = await readBack(clickhouse, together, "*", "i");
    assert.equal(got.length, ROWS);
    assert.deepEqual(got, await readBack(clickhouse, apart, "*", "i"));
  });

  test("may stand between rows that are appended one by one", (context) => {
    const rows = randomRows(randomOf(context).below(2 ** 31));
    const builder = builderOf(ALL, rows.slice(0, 10));
    assert.equal(builder.appendBlock(builderOf(ALL, rows.slice(10, 30)).encode()), 20);
    for (const row of rows.slice(30)) builder.append(row, {});
    assert(builder.encode().equals(builderOf(ALL, rows).encode()));
    assert(builder.encode(5, 35).equals(builderOf(ALL, rows.slice(5, 35)).encode()));
    assert.equal(builder.valueText("i", 29), "29");
  });

  test("go into a builder made from the columns they carry", (context) => {
    const block = builderOf(ALL, randomRows(randomOf(context).below(2 ** 31))).encode();
    const columns = columnsOf(block);
    assert(sameColumns(columns, ALL));
    const builder = new BlockBuilder(columns);
    builder.appendBlock(block);
    assert(builder.encode().equals(block));
    assert(sameColumns(columnsOf(builder.encode(0, 0)), ALL));
  });

  test("with 70,000 distinct texts keep each in its place", () => {
    const columns = [column("v", "LowCardinality(Nullable(String))")];
    const rows = Array.from({ length: 71_000 }, (_, row) => ({
      v: row % 71 === 0 ? null : `v${(row * 7919) % 70_000}`,
    }));
    const merged = new BlockBuilder(columns);
    for (const [from, to] of [
      [0, 200],
      [200, 500],
      [500, 71_000],
    ]) {
      merged.appendBlock(builderOf(columns, rows.slice(from, to)).encode());
    }
    assert(merged.encode().equals(builderOf(columns, rows).encode()));
  });
});

describe("rows read back from a block", () => {
  test("give each row back as values that make the same bytes", (context) => {
    const rows = randomRows(randomOf(context).below(2 ** 31));
    const block = builderOf(ALL, rows).encode();
    const builder = new BlockBuilder(ALL);
    builder.appendBlock(block);
    const again = builderOf(
      ALL,
      rows.map((_, row) => builder.rowAt(row)),
    );
    for (const [row] of rows.entries())
      assert.deepEqual(again.encodeRowWithout(new Set(), row), builder.encodeRowWithout(new Set(), row));
    assert(again.encode().equals(block));
  });

  test("give values as a person writes them", () => {
    const shown: readonly (readonly [type: string, given: unknown, value: unknown])[] = [
      ["Int8", -5, -5],
      ["UInt64", "18446744073709551615", "18446744073709551615"],
      ["Float64", Number.NEGATIVE_INFINITY, "-Infinity"],
      ["Bool", 1, true],
      ["Decimal(18, 8)", "-0.5", "-0.5"],
      ["Decimal(9, 2)", 100n, "100"],
      ["Date", "2024-08-08", "2024-08-08"],
      ["DateTime64(9, 'UTC')", -1n, "1969-12-31T23:59:59.999999999Z"],
      ["DateTime64(0)", "2024-08-08T23:54:15Z", "2024-08-08T23:54:15Z"],
      ["Nullable(String)", null, null],
      ["String", Buffer.from("é"), "é"],
      ["String", Buffer.of(0xff), Uint8Array.of(0xff)],
      ["FixedString(4)", "ab", "ab"],
      ["IPv6", "2001:db8::1", "2001:db8:0:0:0:0:0:1"],
      ["Array(LowCardinality(Nullable(String)))", ["a", null], ["a", null]],
      ["Map(String, Enum8('a' = 1))", { x: 1 }, new Map([["x", "a"]])],
      ["Tuple(px Int8, note String)", [1, "n"], { px: 1, note: "n" }],
    ];
    for (const [type, given, value] of shown) {
      assert.deepEqual(builderOf([column("v", type)], [{ v: given }]).rowAt(0), { v: value }, type);
    }
  });
});

const FEW: readonly BlockColumn[] = [
  column("seq", "UInt64"),
  column("symbol", "LowCardinality(String)"),
  column("venue", "LowCardinality(Nullable(UUID))"),
  column("px", "Nullable(Decimal(18, 8))"),
  column("levels", "Array(Tuple(px Int32, note String))"),
  column("tags", "Map(LowCardinality(String), Array(String))"),
  column("code", "FixedString(3)"),
];
const FEW_ROWS: readonly Row[] = Array.from({ length: 5 }, (_, seq) => ({
  seq,
  symbol: `S${seq % 3}`,
  venue: seq % 2 === 0 ? null : "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
  px: seq === 1 ? null : `${seq}.5`,
  levels: Array.from({ length: seq }, (_, level) => ({ px: level, note: "é".repeat(level * 22) })),
  tags: seq === 3 ? {} : { a: ["x", ""], [`k${seq}`]: [] },
  code: "ab",
}));

const holding = new BlockBuilder(FEW);
const HEAD = builderOf(FEW, FEW_ROWS.slice(0, 2)).encode();
const TAIL = builderOf(FEW, FEW_ROWS.slice(2)).encode();
const WHOLE = builderOf(FEW, FEW_ROWS).encode();

/** Hands `bytes` to a builder that holds rows; true if they were taken, and if not, nothing of them may be left. */
function takes(bytes: Buffer): boolean {
  holding.clear();
  for (const row of FEW_ROWS.slice(0, 2)) holding.append(row, {});
  try {
    holding.appendBlock(bytes);
  } catch (error) {
    assert(error instanceof ColdpathError, String(error));
    assert.match(error.code, /^BLOCK_/);
    assert.equal(holding.rows, 2);
    assert(holding.encode().equals(HEAD));
    holding.appendBlock(TAIL);
    assert(holding.encode().equals(WHOLE));
    return false;
  }
  holding.encode();
  return true;
}

describe("a damaged block", () => {
  const block = WHOLE;
  const fresh = new BlockBuilder(FEW);

  test("cut at any byte is refused and leaves the builder as it was", () => {
    for (let size = 0; size < block.length; size += 1) {
      const cut = block.subarray(0, size);
      assert.throws(() => fresh.appendBlock(cut), { code: "BLOCK_DAMAGED" }, `${size} bytes`);
      if (size % 7 === 0) assert.throws(() => columnsOf(cut), { code: "BLOCK_DAMAGED" }, `${size} bytes`);
      assert(!takes(cut));
    }
    assert(takes(block));
  });

  test("with a byte too many is refused", () => {
    const longer = Buffer.concat([block, Buffer.of(0)]);
    assert(!takes(longer));
    assert.throws(() => columnsOf(longer), { code: "BLOCK_DAMAGED" });
  });

  test("with any byte changed is taken or refused, soon and with nothing left over", () => {
    let refused = 0;
    for (let at = 0; at < block.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(block);
        changed[at]! ^= flip;
        if (!takes(changed)) refused += 1;
      }
    }
    assert(refused > block.length / 2, `${refused} of ${block.length * 3} refused`);
  });

  test("that counts more rows than memory holds is refused before memory is asked for", () => {
    for (const { type } of TYPES) {
      const header = Buffer.concat([
        Buffer.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1),
        Buffer.from("v"),
        typeBytes(type),
        Buffer.alloc(64, 1),
      ]);
      const builder = new BlockBuilder([column("v", type)]);
      assert.throws(() => builder.appendBlock(header), { code: "BLOCK_DAMAGED" }, type);
    }
  });
});

function typeBytes(type: string): Buffer {
  const size = Buffer.byteLength(type);
  const length = size < 128 ? Buffer.of(size) : Buffer.of((size & 0x7f) | 0x80, size >> 7);
  return Buffer.concat([length, Buffer.from(type)]);
}

describe("a block of other columns", () => {
  const others: readonly (readonly [string, readonly BlockColumn[]])[] = [
    ["another name", [{ ...FEW[0]!, name: "seg" }, ...FEW.slice(1)]],
    ["another type", [{ ...FEW[0]!, type: "UInt32" }, ...FEW.slice(1)]],
    ["another order", [FEW[1]!, FEW[0]!, ...FEW.slice(2)]],
    ["a column less", FEW.slice(0, -1)],
    ["a column more", [...FEW, column("more", "UInt8")]],
  ];
  for (const [what, columns] of others) {
    test(`with ${what} is refused by name and leaves the builder as it was`, () => {
      assert(!sameColumns(columns, FEW));
      const other = builderOf(
        columns,
        FEW_ROWS.map((row) => ({ ...row, seg: 1, more: 1 })),
      ).encode();
      assert.throws(() => new BlockBuilder(FEW).appendBlock(other), { code: "BLOCK_COLUMNS" });
      assert(!takes(other));
    });
  }
});

describe("rows numbered after they were appended", () => {
  test("are as if each had been given its number", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.maxSafeInteger().map(Math.abs), (from, high) => {
        const first = Math.min(high, Number.MAX_SAFE_INTEGER - 10);
        const builder = builderOf(FEW, FEW_ROWS);
        builder.number("seq", from, first);
        const numbered = FEW_ROWS.map((row, index) =>
          index < from ? row : { ...row, seq: first + index - from },
        );
        assert(builder.encode().equals(builderOf(FEW, numbered).encode()));
      }),
    );
  });
});
