import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, type TestContext, test } from "node:test";
import { quoteName } from "../../src/clickhouse/quote.js";
import { BodyMemory } from "../../src/intake/body-memory.js";
import { recordRequest } from "../../src/intake/http.js";
import { parseObject } from "../../src/intake/json.js";
import { RowLines } from "../../src/remote/row-lines.js";
import { openPlace, type Place, startTables } from "./fixture.js";

/** Column: type, a value as JSON, the same as the engine prints it, a DEFAULT. */
const COLUMNS: Readonly<Record<string, readonly [string, unknown, string, string]>> = {
  order_id: [
    "UUID",
    "61F0C4045CB311E7907BA6006AD3DBA0",
    "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
    "'61f0c404-5cb3-11e7-907b-a6006ad3dba1'",
  ],
  host: ["IPv4", "192.0.2.1", "192.0.2.1", "'10.0.0.1'"],
  peer: ["IPv6", "192.0.2.1", "::ffff:192.0.2.1", "'2001:db8::1'"],
  isin: ["FixedString(12)", "DE0007164600", "DE0007164600", "'x'"],
  lot: ["LowCardinality(UInt32)", 100, "100", "1"],
  expiry: ["LowCardinality(Nullable(Date))", "2024-06-21", "2024-06-21", "'2024-09-20'"],
  best: ["Tuple(px Decimal(18, 8), size Nullable(UInt64))", { px: 1.5 }, "(1.5,NULL)", "(2, 3)"],
  legs: [
    "Array(Tuple(symbol LowCardinality(String), `side of` Enum8('buy' = 1, 'sell' = 2)))",
    [{ symbol: "a", "side of": "buy" }, ["b", "sell"]],
    "[('a','buy'),('b','sell')]",
    "[('c', 'sell')]",
  ],
  by_id: [
    "Map(UUID, Array(Nullable(IPv4)))",
    { "61f0c404-5cb3-11e7-907b-a6006ad3dba0": ["192.0.2.1", null] },
    "{'61f0c404-5cb3-11e7-907b-a6006ad3dba0':['192.0.2.1',NULL]}",
    "map()",
  ],
  "fills.px": ["Array(Decimal(9, 2))", [1, "2.50"], "[1,2.5]", "[1]"],
  "fills.id": [
    "Array(UUID)",
    ["61f0c404-5cb3-11e7-907b-a6006ad3dba0", "00000000-0000-0000-0000-000000000000"],
    "['61f0c404-5cb3-11e7-907b-a6006ad3dba0','00000000-0000-0000-0000-000000000000']",
    "['00000000-0000-0000-0000-000000000000']",
  ],
};
const NAMES = Object.keys(COLUMNS);
const VALUES = Object.fromEntries(NAMES.map((name) => [name, COLUMNS[name]![1]]));
const YEAR_MS = 365 * 86_400_000;
const TS = "2024-05-01T00:00:00Z";

const clickhouse = await startTables({ after });
await clickhouse.command(
  `CREATE TABLE every_type (
     ts DateTime64(9, 'UTC'), ${NAMES.map((name) => `${quoteName(name)} ${COLUMNS[name]![0]} DEFAULT ${COLUMNS[name]![3]}`).join()},
     env LowCardinality(String), recorder LowCardinality(String), run UInt64, seq UInt64,
     source LowCardinality(String) DEFAULT '', source_seq Nullable(UInt64),
     ts_ingest DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'))
   ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts SETTINGS non_replicated_deduplication_window = 10000`,
  { settings: { allow_suspicious_low_cardinality_types: 1 } },
);

const open = (t: TestContext): Promise<Place> => openPlace(t, clickhouse, undefined, ["every_type"]);

/** The columns of the rows of a file, in the order of its lines, as the engine prints them. */
async function stored(source: string): Promise<string[][]> {
  const texts = NAMES.map((name) => `toString(${quoteName(name)})`).join();
  const rows = await clickhouse.rows<{ texts: string[] }>(
    `SELECT [${texts}] AS texts FROM every_type WHERE startsWith(source, '${source}') ORDER BY source_seq`,
  );
  return rows.map(({ texts }) => texts);
}

test("lines that are handed to a service become the same rows there", async (t) => {
  const { recorder } = await open(t);
  const writer = recorder.table("every_type");
  const lines = new RowLines(writer.table, { past: 100 * YEAR_MS, future: YEAR_MS });
  const given = [{ ts: TS, ...VALUES }, { ts: TS }].map((row) => parseObject(JSON.stringify(row)));
  const handed = given.map((row, index) => lines.of(row, { source: "handed", seq: index + 1 }));
  const outcome = await recordRequest({
    ...{ writer, normaliser: undefined, isGzip: false, signal: new AbortController().signal },
    ...{ body: Readable.from([Buffer.from(handed.join("\n"))]), memory: new BodyMemory(1_000_000) },
    ...{ maxLineBytes: 10_000, maxBodyBytes: 1_000_000 },
  });
  assert.deepEqual(outcome, { kind: "safe", accepted: 2, rejected: 0, errors: [] });
  const [full, absent] = await stored("handed");
  assert.deepEqual(
    full,
    NAMES.map((name) => COLUMNS[name]![2]),
  );
  const [defaults] = await clickhouse.rows<{ texts: string[] }>(
    `SELECT [${NAMES.map((name) => `toString(CAST(${COLUMNS[name]![3]} AS ${COLUMNS[name]![0]}))`).join()}] AS texts`,
    { settings: { allow_suspicious_low_cardinality_types: 1 } },
  );
  assert.deepEqual(absent, defaults!.texts);
  assert.throws(() => lines.of({ ts: TS, ...VALUES, lot: "x" }, { source: "handed", seq: 3 }), /lot/);
  assert.throws(
    () => lines.of({ ts: "1914-10-14T00:00:00Z" }, { source: "handed", seq: 3 }),
    /event times taken/,
  );
});

test("a table of every type takes NDJSON, once, and no other values under the same lines", async (t) => {
  const place = await open(t);
  const line = (more: Readonly<Record<string, unknown>>): string =>
    `${JSON.stringify({ ts: TS, ...VALUES, ...more })}\n`;
  // What a file is goes by its first bytes, so the line that will differ comes late.
  const lines = (last: Readonly<Record<string, unknown>>): string => line({}).repeat(149) + line(last);
  const file = await place.write("types.ndjson", lines({}));
  const first = await place.ingest({ table: "every_type", files: [file] });
  assert.deepEqual([first.stored, first.rejected], [150, 0]);
  const want = NAMES.map((name) => COLUMNS[name]![2]);
  for (const texts of await stored("types.ndjson")) assert.deepEqual(texts, want);
  const again = await place.ingest({ table: "every_type", files: [file] });
  assert.deepEqual([again.stored, again.alreadyStored], [0, 150]);
  for (const [name, value] of [
    ["order_id", "61f0c404-5cb3-11e7-907b-a6006ad3dba1"],
    ["host", "192.0.2.2"],
    ["isin", "DE0007164601"],
    ["lot", 101],
  ] as const) {
    await place.write("types.ndjson", lines({ [name]: value }));
    const [report] = (await place.ingest({ table: "every_type", files: [file] })).files;
    assert.match(
      report!.error!.message,
      new RegExp(`line 150 is stored already .*column ${name} has another value`),
    );
  }
});

test("a table of every type takes CSV, values with parts as JSON", async (t) => {
  const place = await open(t);
  const cells = NAMES.map((name) => {
    const value = VALUES[name];
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return `"${text.replaceAll('"', '""')}"`;
  });
  const file = await place.write("types.csv", `ts,${NAMES.join()}\n${TS},${cells.join()}\n`);
  const report = await place.ingest({ table: "every_type", files: [file] });
  assert.deepEqual([report.stored, report.rejected], [1, 0]);
  assert.deepEqual(await stored("types.csv"), [NAMES.map((name) => COLUMNS[name]![2])]);
});

test("a missing value of any type is the DEFAULT that the engine itself puts in", async (t) => {
  const place = await open(t);
  const file = await place.write("defaults.ndjson", `${JSON.stringify({ ts: TS })}\n`);
  const report = await place.ingest({ table: "every_type", files: [file] });
  assert.deepEqual([report.stored, report.rejected], [1, 0]);
  await clickhouse.command(`INSERT INTO every_type (ts, source) SELECT '${TS}', 'engine'`);
  assert.deepEqual(await stored("defaults.ndjson"), await stored("engine"));
});
