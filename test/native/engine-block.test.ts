import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { BlockBuilder, type BlockColumn, type Row } from "../../src/native/block.js";
import { startTestEngine } from "../support/engine.js";
import { column, createTable, insertBlock, insertJson, readBack, throughEngine } from "./through-engine.js";

const { clickhouse } = await startTestEngine({ after });

const COLUMNS: readonly BlockColumn[] = [
  { ...column("run", "UInt64"), stamped: true },
  column("seq", "UInt32"),
  column("symbol", "LowCardinality(String)"),
  { name: "venue", type: "LowCardinality(Nullable(String))", required: false },
  { name: "px", type: "Nullable(Decimal(18, 8))", required: false },
  column("levels", "Array(LowCardinality(String))"),
  column("tags", "Map(LowCardinality(String), Array(Nullable(Int16)))"),
  column("note", "String"),
];
const STAMP: Row = { run: 2n ** 64n - 1n };

/** Row `seq` and, written out by hand, what the engine must say of it. */
function rowOf(seq: number): { row: Row; want: unknown[] } {
  const symbol = `S${seq % 7}`;
  const venue = seq % 3 === 0 ? null : `V${seq % 300}`;
  const levels = seq % 2 === 0 ? [] : [symbol, "", `L${seq}`];
  const tags = seq % 5 === 0 ? { a: [1, null], [symbol]: [] } : {};
  const note = "é".repeat(seq % 90);
  return {
    row: {
      seq,
      symbol,
      ...(venue === null ? {} : { venue }),
      px: seq % 4 === 0 ? null : `${seq}.5`,
      levels,
      tags,
      note,
    },
    want: [`${2n ** 64n - 1n}`, seq, symbol, venue, seq % 4 === 0 ? null : `${seq}.5`, levels, tags, note],
  };
}

const READ = "run, seq, symbol, venue, toString(px), levels, tags, note";

function builderOf(count: number): BlockBuilder {
  const builder = new BlockBuilder(COLUMNS);
  for (let seq = 0; seq < count; seq += 1) builder.append(rowOf(seq).row, STAMP);
  return builder;
}

describe("a block of many columns", () => {
  test("is read whole, and so are its parts", async () => {
    const count = 1000;
    const builder = builderOf(count);
    const want = Array.from({ length: count }, (_, seq) => rowOf(seq).want);
    for (const cuts of [
      [0, count],
      [0, 1, 2, 500, 999, count],
    ]) {
      const table = await createTable(clickhouse, COLUMNS);
      for (let part = 1; part < cuts.length; part += 1) {
        await insertBlock(clickhouse, table, builder.encode(cuts[part - 1], cuts[part]));
      }
      assert.deepEqual(await readBack(clickhouse, table, READ, "seq"), want);
    }
  });

  test("without rows is accepted and adds none", async () => {
    const table = await createTable(clickhouse, COLUMNS);
    await insertBlock(clickhouse, table, builderOf(0).encode());
    await insertBlock(clickhouse, table, builderOf(3).encode(2, 2));
    assert.deepEqual(await readBack(clickhouse, table, "count()"), [["0"]]);
  });

  test("may follow another in one body", async () => {
    const table = await createTable(clickhouse, COLUMNS);
    const builder = builderOf(20);
    await insertBlock(clickhouse, table, Buffer.concat([builder.encode(0, 5), builder.encode(5, 20)]));
    const want = Array.from({ length: 20 }, (_, seq) => rowOf(seq).want);
    assert.deepEqual(await readBack(clickhouse, table, READ, "seq"), want);
  });
});

describe("a LowCardinality column", () => {
  for (const distinct of [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]) {
    test(`of ${distinct} distinct texts is read as given`, async () => {
      const values = Array.from({ length: distinct + 300 }, (_, row) => `v${(row * 7919) % distinct}`);
      assert.deepEqual(await throughEngine(clickhouse, "LowCardinality(String)", values, "v"), values);
    });
  }

  test("of 256 distinct texts and NULL is read as given", async () => {
    const values = Array.from({ length: 600 }, (_, row) => (row % 257 === 0 ? null : `v${row % 257}`));
    assert.deepEqual(
      await throughEngine(clickhouse, "LowCardinality(Nullable(String))", values, "v"),
      values,
    );
  });

  test("tells NULL from the empty text", async () => {
    const values = ["", null, "", "a", null];
    assert.deepEqual(
      await throughEngine(clickhouse, "LowCardinality(Nullable(String))", values, "v"),
      values,
    );
  });

  test("inside arrays that are all empty is read as given", async () => {
    const values = [[], [], []];
    assert.deepEqual(await throughEngine(clickhouse, "Array(LowCardinality(String))", values, "v"), values);
  });
});

describe("the columns of a flattened Nested", () => {
  const create = async (): Promise<{ table: string; columns: BlockColumn[] }> => {
    const table = "nested";
    await clickhouse.command(`DROP TABLE IF EXISTS ${table} SYNC`);
    await clickhouse.command(
      `CREATE TABLE ${table} (seq UInt8, legs Nested(symbol LowCardinality(String), px Nullable(Int8), tags Nested(name String)))
       ENGINE = MergeTree ORDER BY seq`,
      { settings: { flatten_nested: 1 } },
    );
    const found = await clickhouse.rows<{ name: string; type: string }>(`DESCRIBE TABLE ${table}`);
    return { table, columns: found.map(({ name, type }) => column(name, type)) };
  };
  const tags = (...names: string[]): { name: string }[] => names.map((name) => ({ name }));

  test("are read as given", async () => {
    const { table, columns } = await create();
    const builder = new BlockBuilder(columns);
    builder.append(
      { seq: 0, "legs.symbol": ["a", "b"], "legs.px": [1, null], "legs.tags": [tags("x", "y"), []] },
      {},
    );
    builder.append({ seq: 1, "legs.symbol": [], "legs.px": [], "legs.tags": [] }, {});
    await insertBlock(clickhouse, table, builder.encode());
    assert.deepEqual(await readBack(clickhouse, table, "legs.symbol, legs.px, toString(legs.tags)", "seq"), [
      [["a", "b"], [1, null], "[[('x'),('y')],[]]"],
      [[], [], "[]"],
    ]);
  });

  test("are refused with arrays of different lengths, for which the engine refuses the whole block", async () => {
    const { table, columns } = await create();
    const row = { seq: 0, "legs.symbol": ["a", "b"], "legs.px": [1], "legs.tags": [[], []] };
    await assert.rejects(insertJson(clickhouse, table, [row]), { clickhouseCode: 190 });
    const builder = new BlockBuilder(columns);
    assert.throws(() => builder.append(row, {}), {
      name: "ValueError",
      column: "legs.px",
      reason: "is of length 1 where legs.symbol has length 2: both are of one Nested",
    });
    assert.equal(builder.rows, 0);
    builder.append({ ...row, "legs.px": [1, 2] }, {});
    await insertBlock(clickhouse, table, builder.encode());
    assert.deepEqual(await readBack(clickhouse, table, "legs.px"), [[[1, 2]]]);
  });
});

test("a text of one megabyte is read as given", async () => {
  const values = ["é".repeat(500_000), "", "x".repeat(2 ** 20)];
  const got = await throughEngine(clickhouse, "String", values, "v");
  assert(got.every((text, index) => text === values[index]));
});

test("a type is written under the name that DESCRIBE gives it", async () => {
  const name = `it's \\ a "name", (with) 'all' = 1`;
  await clickhouse.command(
    "CREATE TABLE described (e Enum('it\\'s \\\\ a \"name\", (with) \\'all\\' = 1' = -5, 'b\\tc' = 7), d Decimal64(4), t DateTime64(6, 'Europe/Berlin'), p Tuple(px Int8, `it's \\`(\\\\)` Tuple(b Array(String)))) ENGINE = Memory",
  );
  const columns = await clickhouse.rows<{ name: string; type: string }>("DESCRIBE TABLE described");
  const builder = new BlockBuilder(columns.map((each) => column(each.name, each.type)));
  builder.append(
    { e: name, d: "1.5", t: "2024-07-01T12:00:00+02:00", p: { px: 1, "it's `(\\)": { b: ["x"] } } },
    {},
  );
  builder.append({ e: "b\tc", d: -1, t: "1969-12-31T23:59:59.999999Z", p: [2, [[]]] }, {});
  await insertBlock(clickhouse, "described", builder.encode());
  assert.deepEqual(await readBack(clickhouse, "described", "e, toString(d), toString(t), toString(p)", "e"), [
    [name, "1.5", "2024-07-01 12:00:00.000000", "(1,(['x']))"],
    ["b\tc", "-1", "1970-01-01 00:59:59.999999", "(2,([]))"],
  ]);
});
