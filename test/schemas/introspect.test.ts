import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { BlockBuilder } from "../../src/native/block.js";
import { readDatabase, readTable, readTables } from "../../src/schemas/introspect.js";
import { migrate } from "../../src/schemas/migrate.js";
import type { Column, PartitionKey } from "../../src/schemas/table.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { newDatabase } from "./database.js";

const testEngine = await startTestEngine({ after });

/** The columns that make a table one of the recorder's. */
const IDENTITY = `env LowCardinality(String), recorder LowCardinality(String), run UInt64, seq UInt64,
  source LowCardinality(String) DEFAULT '', source_seq Nullable(UInt64)`;

async function emptyDatabase(t: TestContext): Promise<ClickHouse> {
  const clickhouse = newDatabase(t, testEngine);
  await clickhouse.command(`CREATE DATABASE ${clickhouse.options.database}`, {
    settings: { database: "system" },
  });
  return clickhouse;
}

test("a user's own table with odd names comes from one SQL file and is known to its last column", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const userDir = await temporaryFolder(t);
  writeFileSync(
    join(userDir, "0001_odd.sql"),
    `-- an odd one; but legal
    CREATE TABLE IF NOT EXISTS \`it's "odd";\`
    (
      \`day \\\`of; month\` Date COMMENT 'cut by it; really',
      "größe → €" Nullable(Decimal(76, 20)),
      select UInt8 DEFAULT 7,
      ${IDENTITY}
    )
    ENGINE = MergeTree PARTITION BY toYYYYMM(\`day \\\`of; month\`) ORDER BY (select, seq);`,
  );
  await migrate(clickhouse, { userDirs: [userDir] });
  const table = await readTable(clickhouse, `it's "odd";`);
  assert.equal(table.database, clickhouse.options.database);
  assert.deepEqual(table.partitionKey, { kind: "month", column: "day `of; month" });
  const none = { filledByServer: false, comment: "" };
  assert.deepEqual(table.columns.slice(0, 3), [
    { ...none, name: "day `of; month", type: "Date", required: true, comment: "cut by it; really" },
    { ...none, name: "größe → €", type: "Nullable(Decimal(76, 20))", required: false },
    { ...none, name: "select", type: "UInt8", required: false, defaultText: "7", defaultClause: "DEFAULT 7" },
  ]);
  assert.equal((await readTables(clickhouse)).length, 10);
});

/** A column's declaration, and what the recorder should make of it; what is not said is false or absent. */
const DEFAULTS: Readonly<Record<string, Partial<Column>>> = {
  "c UInt8": { required: true },
  "c Nullable(UInt8)": {},
  "c LowCardinality(Nullable(String))": {},
  "c Nullable(UInt8) DEFAULT NULL": {},
  "c Nullable(UInt8) DEFAULT 5": { defaultText: "5" },
  "c String DEFAULT 'it''s\n'": { defaultText: "it's\n" },
  "c String DEFAULT ''": { defaultText: "" },
  "c Enum8('a' = 1, 'b' = 2) DEFAULT 'b'": { defaultText: "b" },
  "c Enum8('a' = 1, 'b' = 2) DEFAULT 2": { defaultText: "b" },
  "c DateTime64(9, 'UTC') DEFAULT '2024-01-01 00:00:00'": { defaultText: "2024-01-01T00:00:00.000000000Z" },
  "c DateTime('UTC') DEFAULT toDateTime('2024-01-01 00:00:00', 'UTC') + INTERVAL 1 DAY": {
    defaultText: "2024-01-02T00:00:00Z",
  },
  "c UInt64 DEFAULT 18446744073709551615": { defaultText: "18446744073709551615" },
  "c Decimal(38, 8) DEFAULT '1234567890123456789012.12345678'": {
    defaultText: "1234567890123456789012.12345678",
  },
  "c Array(Decimal(18, 8)) DEFAULT [1.5, 2]": { defaultText: '["1.5","2"]' },
  "c Array(String) DEFAULT []": { defaultText: "[]" },
  "c Map(String, UInt64) DEFAULT map('a', 1)": { defaultText: '{"a":"1"}' },
  "c Float64 DEFAULT nan": { defaultText: "nan" },
  "c Nullable(Float32) DEFAULT -inf": { defaultText: "-inf" },
  "c Array(Float64) DEFAULT [1.5, inf]": { defaultText: '[1.5,"inf"]' },
  "c Bool DEFAULT true": { defaultText: "true" },
  "c String DEFAULT UPPER('x')": { defaultText: "X" },
  "c DateTime64(3) DEFAULT now64(3)": { filledByServer: true },
  "c UInt64 DEFAULT rand64()": { filledByServer: true },
  "c String DEFAULT hostName()": { filledByServer: true },
  "c String DEFAULT recorder": { filledByServer: true },
  "c String DEFAULT concat(recorder, 'x')": { filledByServer: true },
  "c UInt64 MATERIALIZED seq + 1": { filledByServer: true },
  "c UInt64 ALIAS 5": { filledByServer: true },
};

test("a column is required, has a constant default or is filled in by ClickHouse, as its declaration says", async (t) => {
  const clickhouse = await emptyDatabase(t);
  const columns = Object.keys(DEFAULTS).map((each, index) => each.replace(/^c/, `c${index}`));
  await clickhouse.command(
    `CREATE TABLE defaults (${IDENTITY}, ${columns.join()}) ENGINE = MergeTree ORDER BY seq`,
  );
  const table = await readTable(clickhouse, "defaults");
  for (const [index, [declaration, expected]] of Object.entries(DEFAULTS).entries()) {
    const column = table.columns.find(({ name }) => name === `c${index}`)!;
    const { defaultClause, ...rest } = column;
    const plain: Column = {
      name: column.name,
      type: column.type,
      required: false,
      filledByServer: false,
      comment: "",
    };
    assert.deepEqual(rest, { ...plain, ...expected }, declaration);
    const isPlain = !/ (DEFAULT|MATERIALIZED|ALIAS) /.test(declaration);
    assert.equal(defaultClause === undefined, isPlain, declaration);
  }
  // Each constant is one that its own column takes.
  new BlockBuilder(table.columns.filter((column) => !column.filledByServer));
});

const PARTITIONS: Readonly<Record<string, PartitionKey>> = {
  "": { kind: "none" },
  "PARTITION BY tuple()": { kind: "none" },
  "PARTITION BY venue": { kind: "column", column: "venue" },
  "PARTITION BY (venue)": { kind: "column", column: "venue" },
  "PARTITION BY toDate(ts)": { kind: "day", column: "ts" },
  "PARTITION BY toYYYYMM(ts)": { kind: "month", column: "ts" },
  "PARTITION BY toYYYYMM(day)": { kind: "month", column: "day" },
  "PARTITION BY toDate(seconds)": { kind: "day", column: "seconds" },
};

const PARTITIONS_REFUSED: Readonly<Record<string, RegExp>> = {
  "PARTITION BY (venue, toDate(ts))": /it may be nothing, a column, toDate\(column\) or toYYYYMM\(column\)/,
  "PARTITION BY toMonday(ts)": /it may be nothing/,
  "PARTITION BY toDate(ts + 1)": /it may be nothing/,
  "PARTITION BY cityHash64(venue) % 8": /it may be nothing/,
  "PARTITION BY toDate(tokyo)": /tokyo is DateTime64\(9, 'Asia\/Tokyo'\); days and months are cut from/,
  "PARTITION BY toDate(local)": /local is DateTime; days and months/,
  "PARTITION BY toYYYYMM(arrived)": /arrived is filled in by ClickHouse/,
};

const PARTITION_COLUMNS = `${IDENTITY}, venue LowCardinality(String), ts DateTime64(9, 'UTC'), day Date,
  seconds DateTime('UTC'), local DateTime, tokyo DateTime64(9, 'Asia/Tokyo'), arrived DateTime64(9, 'UTC') DEFAULT now64(9)`;

test("a table may be cut by nothing, a column, its day or its month in UTC", async (t) => {
  const clickhouse = await emptyDatabase(t);
  for (const [index, [clause, key]] of Object.entries(PARTITIONS).entries()) {
    await clickhouse.command(
      `CREATE TABLE p${index} (${PARTITION_COLUMNS}) ENGINE = MergeTree ${clause} ORDER BY seq`,
    );
    assert.deepEqual((await readTable(clickhouse, `p${index}`)).partitionKey, key, clause);
  }
});

test("a table cut by anything else is refused, saying what is allowed", async (t) => {
  const clickhouse = await emptyDatabase(t);
  for (const [index, [clause, message]] of Object.entries(PARTITIONS_REFUSED).entries()) {
    await clickhouse.command(
      `CREATE TABLE p${index} (${PARTITION_COLUMNS}) ENGINE = MergeTree ${clause} ORDER BY seq`,
    );
    await assert.rejects(
      readTable(clickhouse, `p${index}`),
      { code: "PARTITION_UNSUPPORTED", message },
      clause,
    );
  }
});

test("an absent table is answered with the nearest one, or with how tables come about", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await assert.rejects(readTable(clickhouse, "order"), {
    code: "TABLE_UNKNOWN",
    message: /run coldpath migrate/,
  });
  await clickhouse.command(`CREATE TABLE orders (${IDENTITY}) ENGINE = MergeTree ORDER BY seq`);
  await assert.rejects(readTable(clickhouse, "order"), {
    code: "TABLE_UNKNOWN",
    message: /did you mean orders\?/,
  });
});

test("views, what is behind them, and tables that lose rows or cannot name them are no recorder tables", async (t) => {
  const clickhouse = await emptyDatabase(t);
  for (const statement of [
    `CREATE TABLE rows (${IDENTITY}) ENGINE = MergeTree ORDER BY seq`,
    `CREATE TABLE replaced (${IDENTITY}) ENGINE = ReplacingMergeTree ORDER BY seq`,
    `CREATE TABLE nameless (x UInt8) ENGINE = MergeTree ORDER BY x`,
    `CREATE TABLE signed (${IDENTITY.replace("run UInt64", "run Int64")}) ENGINE = MergeTree ORDER BY seq`,
    "CREATE VIEW seen AS SELECT * FROM rows",
    "CREATE MATERIALIZED VIEW copied ENGINE = MergeTree ORDER BY seq AS SELECT * FROM rows",
  ]) {
    await clickhouse.command(statement);
  }
  const { tables, unfit } = await readDatabase(clickhouse);
  assert.deepEqual(
    tables.map(({ name }) => name),
    ["rows"],
  );
  assert.deepEqual([...unfit.keys()], ["copied", "nameless", "replaced", "seen", "signed"]);
  await assert.rejects(readTable(clickhouse, "replaced"), {
    code: "TABLE_UNKNOWN",
    message: /engine is ReplacingMergeTree/,
  });
  await assert.rejects(readTable(clickhouse, "nameless"), {
    code: "TABLE_UNKNOWN",
    message: /lacks the column env/,
  });
  await assert.rejects(readTable(clickhouse, "signed"), {
    code: "TABLE_UNKNOWN",
    message: /column run is Int64/,
  });
});
