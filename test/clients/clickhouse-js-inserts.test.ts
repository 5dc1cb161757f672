import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, beforeEach, test } from "node:test";
import * as zlib from "node:zlib";
import type { DataFormat } from "@clickhouse/client";
import { until } from "../support/until.js";
import { rowsOf, startJsClients } from "./js-clients.js";

const { reader, owner, connect } = await startJsClients({ after });
const table = "quotes";

beforeEach(async () => {
  await owner.command({
    query: `CREATE OR REPLACE TABLE ${table} (id UInt32, note String DEFAULT 'none', px Nullable(Decimal64(4))) ENGINE = MergeTree ORDER BY id`,
  });
});

const stored = (): Promise<string[][]> => rowsOf(reader, `SELECT id, note, px FROM ${table} ORDER BY id`);

test("rows as objects and as arrays are stored, with what was not given left to its default", async () => {
  const values = [{ id: 1, note: "line\n\nblank", px: "1.5" }, { id: 2 }];
  const { executed, summary } = await owner.insert({ table, values, format: "JSONEachRow" });
  assert.equal(executed, true);
  assert.equal(summary?.written_rows, "2");
  await owner.insert({ table, values: [[3, "żółć"]], columns: ["id", "note"] });
  await owner.insert({ table, values: [[4, 2.25]], columns: { except: ["note"] } });
  assert.deepEqual(await stored(), [
    ["1", "line\n\nblank", "1.5"],
    ["2", "none", "ᴺᵁᴸᴸ"],
    ["3", "żółć", "ᴺᵁᴸᴸ"],
    ["4", "none", "2.25"],
  ]);
});

test("nothing to insert makes no request", async () => {
  assert.equal((await owner.insert({ table, values: [], format: "JSONEachRow" })).executed, false);
});

test("a whole JSON document, or rows by name, can be inserted", async () => {
  const meta = [
    { name: "id", type: "UInt32" },
    { name: "note", type: "String" },
  ];
  await owner.insert({ table, values: { meta, data: [{ id: 1, note: "a" }] }, format: "JSON" });
  await owner.insert({ table, values: { x: { id: 2, note: "b" } }, format: "JSONObjectEachRow" });
  assert.deepEqual(
    (await stored()).map(([id, note]) => [id, note]),
    [
      ["1", "a"],
      ["2", "b"],
    ],
  );
});

test("a stream of objects is stored whole", async () => {
  const values = Readable.from(Array.from({ length: 20_000 }, (_, id) => ({ id, note: `row ${id}` })));
  await owner.insert({ table, values, format: "JSONEachRow" });
  const query = `SELECT count(), sum(id), uniqExact(note) FROM ${table}`;
  assert.deepEqual(await rowsOf(reader, query), [["20000", "199990000", "20000"]]);
});

test("a raw stream in each text format is stored as written", async () => {
  const texts: readonly (readonly [DataFormat, string])[] = [
    ["CSV", '1,"a,""b\n\nc",\\N\n'],
    ["CSVWithNames", '"px","id","note"\n\\N,1,"a,""b\n\nc"\n'],
    ["CSVWithNamesAndTypes", '"id","note"\n"UInt32","String"\n1,"a,""b\n\nc"\n'],
    ["TabSeparated", '1\ta,"b\\n\\nc\t\\N\n'],
    ["TabSeparatedWithNames", 'note\tid\na,"b\\n\\nc\t1\n'],
    ["CustomSeparated", '1\ta,"b\\n\\nc\t\\N\n'],
    ["JSONEachRow", '{"id":1,"note":"a,\\"b\\n\\nc"}\n\n\n'],
    ["JSONCompactEachRow", '[1,"a,\\"b\\n\\nc",null]\n'],
    ["JSONCompactEachRowWithNamesAndTypes", '["note","id"]\n["String","UInt32"]\n["a,\\"b\\n\\nc",1]\n'],
  ];
  for (const [format, text] of texts) {
    // In pieces that cut rows and characters anywhere.
    const pieces = text.match(/.{1,5}/gs)!.map((piece) => Buffer.from(piece));
    const values = Readable.from(pieces, { objectMode: false });
    // The client takes JSON from streams of objects alone; text of it goes through exec.
    if (!format.startsWith("JSON")) await owner.insert({ table, values, format });
    else
      await (await owner.exec({ query: `INSERT INTO ${table} FORMAT ${format}`, values })).stream.toArray();
    assert.deepEqual(await stored(), [["1", 'a,"b\n\nc', "ᴺᵁᴸᴸ"]], format);
    await owner.command({ query: `TRUNCATE TABLE ${table}` });
  }
});

test("what a binary format gave goes back in through insert and exec", async () => {
  const source =
    "SELECT toUInt32(number) AS id, repeat('\\n', 3) AS note, toDecimal64(1.5, 4)::Nullable(Decimal64(4)) AS px FROM numbers(1000)";
  for (const format of [
    "Native",
    "RowBinary",
    "RowBinaryWithNamesAndTypes",
    "Parquet",
    "Arrow",
    "ArrowStream",
    "ORC",
    "Avro",
    "MsgPack",
  ]) {
    const { stream } = await reader.exec({ query: `${source} FORMAT ${format}` });
    if (format === "Parquet") await owner.insert({ table, values: stream, format });
    else {
      const done = await owner.exec({ query: `INSERT INTO ${table} FORMAT ${format}`, values: stream });
      await done.stream.toArray();
    }
    const query = `SELECT count(), sum(id), uniqExact(note), any(length(note)), sum(px) FROM ${table}`;
    assert.deepEqual(await rowsOf(reader, query), [["1000", "499500", "1", "3", "1500"]], format);
    await owner.command({ query: `TRUNCATE TABLE ${table}` });
  }
});

test("INSERT with VALUES, with SELECT and with parameters runs as a command", async () => {
  await owner.command({ query: `INSERT INTO ${table} VALUES (1, 'it''s; SELECT 2', 0.5), (2, 'x', NULL)` });
  await owner.command({
    query: `INSERT INTO ${table} (id, note) SELECT number, {note:String} FROM numbers(3, {n:UInt8})`,
    query_params: { note: "p", n: 1 },
  });
  assert.deepEqual(await stored(), [
    ["1", "it's; SELECT 2", "0.5"],
    ["2", "x", "ᴺᵁᴸᴸ"],
    ["3", "p", "ᴺᵁᴸᴸ"],
  ]);
});

test("compressed bodies are stored and answers come compressed, in each codec that this Node has", async () => {
  const hasZstd = "createZstdCompress" in zlib;
  const codecs = [true, { codec: "br" }, { codec: "gzip", level: 9 }] as const;
  for (const request of hasZstd ? [...codecs, { codec: "zstd" } as const] : codecs) {
    const client = connect({
      compression: { request, response: request === true || { codec: request.codec } },
    });
    const values = Readable.from(Array.from({ length: 5000 }, (_, id) => ({ id })));
    await client.insert({ table, values, format: "JSONEachRow" });
    const query = `SELECT id FROM ${table} ORDER BY id`;
    const answer = await client.query({ query, format: "JSONCompactEachRow" });
    assert.equal(answer.response_headers["content-encoding"], request === true ? "gzip" : request.codec);
    const rows = (await answer.json()) as [number][];
    assert.deepEqual([rows.length, rows.at(-1)], [5000, [4999]], JSON.stringify(request));
    await owner.command({ query: `TRUNCATE TABLE ${table}` });
  }
});

test("asynchronous inserts are stored when they are answered", async () => {
  await owner.insert({
    table,
    values: [{ id: 1 }],
    format: "JSONEachRow",
    clickhouse_settings: { async_insert: 1, wait_for_async_insert: 1 },
  });
  assert.equal((await stored()).length, 1);
});

test("a row that does not fit fails with code and type, and none of its insert is stored", async () => {
  const values = [{ id: 1 }, { id: "one" }];
  await assert.rejects(owner.insert({ table, values, format: "JSONEachRow" }), {
    name: "Error",
    code: "27",
    type: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
  });
  await assert.rejects(owner.insert({ table: "nowhere", values, format: "JSONEachRow" }), {
    code: "60",
    type: "UNKNOWN_TABLE",
  });
  const unknown = { table, values: [{ id: 1, nope: 2 }], format: "JSONEachRow" } as const;
  const clickhouse_settings = { input_format_skip_unknown_fields: 0 } as const;
  await assert.rejects(owner.insert({ ...unknown, clickhouse_settings }), { code: "117" });
  assert.deepEqual(await stored(), []);
});

test("a stream that fails or is aborted on its way stores nothing", async (t) => {
  // The client prints what a stream threw, whatever its log level.
  t.mock.method(console, "error", () => {});
  const broken = Readable.from(
    (function* () {
      yield { id: 1 };
      throw new Error("the source broke");
    })(),
  );
  await assert.rejects(owner.insert({ table, values: broken, format: "JSONEachRow" }));
  const gone = new AbortController();
  let isAsked = false;
  const endless = new Readable({
    objectMode: true,
    read(): void {
      this.push(isAsked ? undefined : { id: 2 });
      isAsked = true;
    },
  });
  const aborted = assert.rejects(
    owner.insert({ table, values: endless, format: "JSONEachRow", abort_signal: gone.signal }),
  );
  await until("the first row", async () => isAsked);
  gone.abort();
  await aborted;
  assert.deepEqual(await stored(), []);
});

test("without the secret no statement changes anything", async () => {
  const values = [{ id: 1 }];
  await assert.rejects(reader.insert({ table, values, format: "JSONEachRow" }), {
    code: "164",
    type: "READONLY",
  });
  for (const query of [
    `DROP TABLE ${table}`,
    `ALTER TABLE ${table} DELETE WHERE 1`,
    "CREATE DATABASE mine",
  ]) {
    await assert.rejects(reader.command({ query }), { code: "164" }, query);
  }
  assert.deepEqual(await stored(), []);
});
