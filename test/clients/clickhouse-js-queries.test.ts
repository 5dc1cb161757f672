import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type DataFormat, TupleParam } from "@clickhouse/client";
import { until } from "../support/until.js";
import { rowsOf, running, startJsClients } from "./js-clients.js";

const { reader, owner, connect } = await startJsClients({ after });

const ROWS = "SELECT toUInt32(number) AS n, if(number = 1, 'a,\"b', 'x') AS s FROM numbers(2)";
const NAMES = ["n", "s"];
const TYPES = ["UInt32", "String"];
const STRINGS = [
  ["0", "x"],
  ["1", 'a,"b'],
];
const VALUES = [
  [0, "x"],
  [1, 'a,"b'],
];
const OBJECTS = [
  { n: 0, s: "x" },
  { n: 1, s: 'a,"b' },
];
const STRING_OBJECTS = [
  { n: "0", s: "x" },
  { n: "1", s: 'a,"b' },
];
const META = [
  { name: "n", type: "UInt32" },
  { name: "s", type: "String" },
];

test("a JSON document in each of its formats is the rows, their types and their count", async () => {
  const expected: readonly (readonly [DataFormat, unknown])[] = [
    ["JSON", OBJECTS],
    ["JSONStrings", STRING_OBJECTS],
    ["JSONCompact", VALUES],
    ["JSONCompactStrings", STRINGS],
    ["JSONColumnsWithMetadata", { n: [0, 1], s: ["x", 'a,"b'] }],
  ];
  for (const [format, data] of expected) {
    const answer = await reader.query({ query: ROWS, format });
    const { meta, data: got, rows } = (await answer.json()) as Record<string, unknown>;
    assert.deepEqual({ meta, got, rows }, { meta: META, got: data, rows: 2 }, format);
  }
  const byName = await reader.query({ query: ROWS, format: "JSONObjectEachRow" });
  assert.deepEqual(await byName.json(), { row_1: OBJECTS[0], row_2: OBJECTS[1] });
});

test("JSON lines in each of their formats are the rows", async () => {
  const expected: readonly (readonly [DataFormat, unknown[]])[] = [
    ["JSONEachRow", OBJECTS],
    ["JSONStringsEachRow", STRING_OBJECTS],
    ["JSONCompactEachRow", VALUES],
    ["JSONCompactStringsEachRow", STRINGS],
    ["JSONCompactEachRowWithNames", [NAMES, ...VALUES]],
    ["JSONCompactEachRowWithNamesAndTypes", [NAMES, TYPES, ...VALUES]],
    ["JSONCompactStringsEachRowWithNames", [NAMES, ...STRINGS]],
    ["JSONCompactStringsEachRowWithNamesAndTypes", [NAMES, TYPES, ...STRINGS]],
  ];
  for (const [format, rows] of expected) {
    assert.deepEqual(await (await reader.query({ query: ROWS, format })).json(), rows, format);
  }
});

test("rows with progress come between the columns and how far it is", async () => {
  const answer = await reader.query({ query: ROWS, format: "JSONEachRowWithProgress" });
  const events = (await answer.json()) as Record<string, unknown>[];
  assert.deepEqual(
    events.flatMap((event) => ("row" in event ? [event["row"]] : [])),
    OBJECTS,
  );
  const last = events.flatMap((event) => ("progress" in event ? [event["progress"]] : [])).at(-1);
  assert.equal((last as { read_rows: string }).read_rows, "2");
});

test("text formats are what the documentation of ClickHouse shows", async () => {
  const expected: Readonly<Record<string, string>> = {
    CSV: '0,"x"\n1,"a,""b"\n',
    CSVWithNames: '"n","s"\n0,"x"\n1,"a,""b"\n',
    CSVWithNamesAndTypes: '"n","s"\n"UInt32","String"\n0,"x"\n1,"a,""b"\n',
    TabSeparated: '0\tx\n1\ta,"b\n',
    TabSeparatedRaw: '0\tx\n1\ta,"b\n',
    TabSeparatedWithNames: 'n\ts\n0\tx\n1\ta,"b\n',
    TabSeparatedWithNamesAndTypes: 'n\ts\nUInt32\tString\n0\tx\n1\ta,"b\n',
    CustomSeparated: '0\tx\n1\ta,"b\n',
    CustomSeparatedWithNames: 'n\ts\n0\tx\n1\ta,"b\n',
    CustomSeparatedWithNamesAndTypes: 'n\ts\nUInt32\tString\n0\tx\n1\ta,"b\n',
  };
  for (const [format, text] of Object.entries(expected)) {
    const answer = await reader.query({ query: ROWS, format: format as DataFormat });
    assert.equal(await answer.text(), text, format);
  }
});

test("binary and pretty formats come through exec as the engine makes them", async () => {
  const bytesOf = async (format: string): Promise<Buffer> => {
    const { stream } = await reader.exec({ query: `SELECT toUInt8(7) AS a FORMAT ${format}` });
    return Buffer.concat(await stream.toArray());
  };
  assert.equal((await bytesOf("RowBinary")).toString("hex"), "07");
  assert.equal((await bytesOf("RowBinaryWithNamesAndTypes")).toString("latin1"), "\x01\x01a\x05UInt8\x07");
  assert.equal((await bytesOf("Native")).toString("latin1"), "\x01\x01\x01a\x05UInt8\x07");
  const parquet = (await bytesOf("Parquet")).toString("latin1");
  assert.deepEqual([parquet.slice(0, 4), parquet.slice(-4)], ["PAR1", "PAR1"]);
  const arrow = (await bytesOf("Arrow")).toString("latin1");
  assert.deepEqual([arrow.slice(0, 6), arrow.slice(-6)], ["ARROW1", "ARROW1"]);
  assert.equal((await bytesOf("ArrowStream")).readInt32LE(), -1);
  assert.equal((await bytesOf("PrettyCompact")).toString(), "   ┌─a─┐\n1. │ 7 │\n   └───┘\n");
});

test("a stream gives every row, in batches, in order", async () => {
  const query = "SELECT number AS n FROM numbers(200000)";
  const answer = await reader.query({ query, format: "JSONEachRow" });
  let [next, batches] = [0, 0];
  for await (const rows of answer.stream<{ n: number }>()) {
    batches += 1;
    for (const row of rows) assert.equal(row.json().n, next++);
  }
  assert.equal(next, 200_000);
  assert.ok(batches > 1);
  const lines = await reader.query({ query, format: "CSV" });
  let bytes = 0;
  for await (const rows of lines.stream()) for (const row of rows) bytes += row.text.length + 1;
  assert.equal(bytes, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5 + 90_000 * 6 + 100_000 * 7);
});

test("a result that is closed or left, or aborted before its first row, ends its statement in the engine", async () => {
  const ways: Readonly<Record<string, (query: string) => Promise<void>>> = {
    close: async (query) => {
      const answer = await reader.query({ query, format: "JSONEachRow" });
      assert.equal(await running(owner, query), 1);
      answer.close();
    },
    left: async (query) => {
      const answer = await reader.query({ query, format: "CSV" });
      for await (const _ of answer.stream()) break;
    },
    abort: async (query) => {
      const gone = new AbortController();
      const answer = reader.query({
        query: `${query} WHERE NOT ignore(sleepEachRow(0.1))`,
        abort_signal: gone.signal,
        clickhouse_settings: { max_block_size: "1", function_sleep_max_microseconds_per_block: "0" },
      });
      const failed = assert.rejects(answer);
      await until("the start", async () => (await running(owner, query)) === 1);
      gone.abort();
      await failed;
    },
  };
  for (const [name, leave] of Object.entries(ways)) {
    const query = `SELECT number, '${name}' FROM numbers(100000000000)`;
    await leave(query);
    await until(`the end after ${name}`, async () => (await running(owner, query)) === 0);
  }
});

test("a typed parameter of every kind arrives as its value", async () => {
  const cases: readonly (readonly [type: string, value: unknown, text: string])[] = [
    ["Bool", true, "true"],
    ["UInt8", 255, "255"],
    ["Int64", -9_223_372_036_854_775_808n, "-9223372036854775808"],
    ["UInt256", 2n ** 256n - 1n, String(2n ** 256n - 1n)],
    ["Float64", 0.1, "0.1"],
    ["Float64", Number.NaN, "nan"],
    ["Float64", Number.NEGATIVE_INFINITY, "-inf"],
    ["Decimal(38, 18)", "12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"],
    ["String", "it's\ta\nfull \\ line\r", "it's\ta\nfull \\ line\r"],
    ["String", "", ""],
    ["String", "żółć 🦆", "żółć 🦆"],
    ["FixedString(3)", "abc", "abc"],
    ["Enum8('buy' = 1, 'sell' = 2)", "sell", "sell"],
    ["Date", "2024-02-29", "2024-02-29"],
    ["DateTime('UTC')", new Date("2024-02-29T12:34:56Z"), "2024-02-29 12:34:56"],
    ["DateTime64(3, 'UTC')", new Date("2024-02-29T12:34:56.789Z"), "2024-02-29 12:34:56.789"],
    ["DateTime64(9, 'UTC')", "2024-02-29 12:34:56.123456789", "2024-02-29 12:34:56.123456789"],
    ["UUID", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"],
    ["IPv4", "10.1.2.3", "10.1.2.3"],
    ["IPv6", "2001:db8::1", "2001:db8::1"],
    ["Nullable(Int32)", null, "NULL"],
    ["Nullable(String)", "NULL", "NULL "],
    ["Array(UInt8)", [1, 2], "[1,2]"],
    ["Array(String)", ["a'b", "c,d", "\\"], "['a\\'b','c,d','\\\\']"],
    ["Array(Nullable(String))", ["x", null], "['x',NULL]"],
    ["Map(String, UInt8)", { a: 1, b: 2 }, "{'a':1,'b':2}"],
    ["Map(UInt8, String)", new Map([[1, "x'"]]), "{1:'x\\''}"],
    ["Tuple(Int32, String, Nullable(UInt8))", new TupleParam([-1, "y", null]), "(-1,'y',NULL)"],
  ];
  for (const [type, p, text] of cases) {
    const query = `SELECT if(isNull({p:${type}}), 'NULL', concat(toString({p:${type}}), if(toString({p:${type}}) = 'NULL', ' ', ''))) AS v`;
    const answer = await reader.query({ query, query_params: { p }, format: "JSONEachRow" });
    assert.deepEqual(await answer.json(), [{ v: text }], `${type} ${String(p)}`);
  }
});

test("a parameter stays data, whatever it holds", async () => {
  const attempts = [
    "'; DROP TABLE system.one; --",
    "' OR 1 = 1 --",
    "\\'; SELECT 2 --",
    "{other:String}",
    "\\N",
    "\\",
    "a\\tb",
    "a\0b",
    "x\n\nSELECT 2",
    "/* */ -- #",
    '`"´',
    "%27%20OR%201",
    "+&=?#;",
    " ",
  ];
  for (const attempt of attempts) {
    const query_params = { p: attempt, list: [attempt, attempt], tuple: new TupleParam([attempt]) };
    const query =
      "SELECT {p:String} AS p, {list:Array(String)} AS list, tupleElement({tuple:Tuple(String)}, 1) AS t, count() AS n FROM numbers(3)";
    const answer = await reader.query({ query, query_params, format: "JSONEachRow" });
    const expected = [{ p: attempt, list: [attempt, attempt], t: attempt, n: 3 }];
    assert.deepEqual(await answer.json(), expected, JSON.stringify(attempt));
  }
});

test("parameters too long for a URL go in the body", async () => {
  const list = Array.from({ length: 20_000 }, (_, n) => `it's ${n}`);
  const query =
    "SELECT length({list:Array(String)}) AS n, {list:Array(String)}[-1] AS last, toString(getSetting('max_query_size')) AS most";
  for (const way of [{ use_multipart_params: true }, { use_multipart_params_auto: true }]) {
    for (const session of [{}, { session_id: "long" }]) {
      const answer = await reader.query({
        query,
        query_params: { list },
        format: "JSONEachRow",
        ...way,
        ...session,
      });
      assert.deepEqual(await answer.json(), [{ n: 20_000, last: "it's 19999", most: "262144" }]);
    }
  }
});

test("an Identifier parameter names a table or column and nothing else", async () => {
  const name = 'odd `name`; DROP TABLE "x"';
  await owner.command({
    query: "CREATE TABLE {name:Identifier} (`a b` UInt8) ENGINE = Memory AS SELECT 5",
    query_params: { name },
  });
  const query =
    "SELECT {column:Identifier} AS v, {nothing:Nullable(String)} AS n, {data:String} AS d FROM {name:Identifier}";
  const answer = await reader.query({
    query,
    query_params: { name, column: "a b", nothing: null, data: "file" },
    format: "JSONEachRow",
  });
  assert.deepEqual(await answer.json(), [{ v: 5, n: null, d: "file" }]);
  await assert.rejects(
    reader.query({ query: "SELECT * FROM {name:Identifier}", query_params: { name: "numbers(1)" } }),
    { code: "60" },
  );
});

test("settings of the client hold for each query, those of a query go before", async () => {
  const client = connect({
    clickhouse_settings: { max_block_size: "10", output_format_json_quote_64bit_integers: 1 },
  });
  const query = "SELECT toUInt64(1) AS n, getSetting('max_block_size') AS block";
  assert.deepEqual(await (await client.query({ query, format: "JSONEachRow" })).json(), [
    { n: "1", block: 10 },
  ]);
  const clickhouse_settings = { max_block_size: "20", output_format_json_quote_64bit_integers: 0 as const };
  const answer = await client.query({ query, clickhouse_settings, format: "JSONEachRow" });
  assert.deepEqual(await answer.json(), [{ n: 1, block: 20 }]);
  await assert.rejects(client.query({ query, clickhouse_settings: { max_blok_size: "1" } }), {
    code: "115",
    type: "UNKNOWN_SETTING",
  });
});

test("EXPLAIN, SHOW, DESCRIBE, EXISTS and CHECK answer in the wanted format", async () => {
  await owner.command({ query: "CREATE TABLE shown (a UInt8) ENGINE = MergeTree ORDER BY a" });
  const first = async (query: string): Promise<string | undefined> => (await rowsOf(reader, query))[0]?.[0];
  assert.match((await first("EXPLAIN SYNTAX SELECT 1 + 1")) ?? "", /^SELECT plus\(1, 1\)/);
  assert.match((await first("SHOW CREATE TABLE shown")) ?? "", /^CREATE TABLE default\.shown\n/);
  assert.equal(await first("SHOW TABLES LIKE 'sho%'"), "shown");
  assert.deepEqual((await rowsOf(reader, "DESCRIBE TABLE shown"))[0]!.slice(0, 2), ["a", "UInt8"]);
  assert.equal(await first("EXISTS TABLE shown"), "1");
  assert.equal(await first("CHECK TABLE shown SETTINGS check_query_single_value_result = 1"), "1");
});
