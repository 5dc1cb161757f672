import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { compressFrameSync } from "lz4-napi";
import { ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse, dataDir } = await startTestEngine({ after });

let tables = 0;

/** A new empty table and its name. */
async function table(columns = "a UInt64, s String"): Promise<string> {
  tables += 1;
  await clickhouse.command(`CREATE TABLE t${tables} (${columns}) ENGINE = MergeTree ORDER BY tuple()`);
  return `t${tables}`;
}

const READ = "a, s FROM";
const ROWS = "1\tone\n2\ttwo\n";

/** The same two rows in a format, written by the engine itself. */
async function encoded(format: string): Promise<Buffer> {
  const sql = `SELECT * FROM values('a UInt64, s String', (1, 'one'), (2, 'two')) FORMAT ${format}`;
  const chunks: Buffer[] = [];
  for await (const chunk of await clickhouse.stream(sql)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

for (const format of [
  "Native",
  "RowBinary",
  "RowBinaryWithNamesAndTypes",
  "TSV",
  "TabSeparatedWithNames",
  "CSV",
  "JSONEachRow",
  "JSONCompactEachRow",
  "Values",
  "Parquet",
  "ArrowStream",
]) {
  test(`${format} is stored from a body`, async () => {
    const name = await table();
    await clickhouse.insert({ sql: `INSERT INTO ${name} FORMAT ${format}`, body: await encoded(format) });
    assert.equal(await clickhouse.text(`SELECT ${READ} ${name} ORDER BY a`), ROWS);
  });
}

/** A zstd frame with one raw block, for Node 20 has no encoder. Content of at most 255 bytes. */
function zstdFrame(content: Buffer): Buffer {
  assert.ok(content.length < 256);
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, content.length, 0, 0, 0]);
  head.writeUIntLE(content.length * 8 + 1, 6, 3);
  return Buffer.concat([head, content]);
}

test("compressed bodies are decoded by their Content-Encoding", async () => {
  const native = await encoded("Native");
  const bodies = {
    gzip: gzipSync(native),
    deflate: deflateSync(native),
    br: brotliCompressSync(native),
    lz4: compressFrameSync(native),
    zstd: zstdFrame(native),
    identity: native,
  };
  for (const [encoding, body] of Object.entries(bodies)) {
    const name = await table();
    const answer = await ask(engine, {
      search: { query: `INSERT INTO ${name} FORMAT Native` },
      headers: { "content-encoding": encoding },
      body,
    });
    assert.equal(answer.status, 200, `${encoding}: ${answer.text}`);
    assert.equal(await clickhouse.text(`SELECT ${READ} ${name} ORDER BY a`), ROWS, encoding);
  }
});

test("an unknown or lying Content-Encoding is refused and stores nothing", async () => {
  const name = await table();
  const native = await encoded("Native");
  for (const [encoding, code] of [
    ["zip", "48"],
    ["gzip", "354"],
    ["lz4", "618"],
  ] as const) {
    const answer = await ask(engine, {
      search: { query: `INSERT INTO ${name} FORMAT Native` },
      headers: { "content-encoding": encoding },
      body: native,
    });
    assert.equal(answer.headers["x-clickhouse-exception-code"], code, answer.text);
  }
  assert.equal(await clickhouse.text(`SELECT count() FROM ${name}`), "0\n");
});

test("an INSERT whose data follows it in the body is stored", async () => {
  const texts = [
    (name: string) => `INSERT INTO ${name} VALUES (1, 'one'), (2, 'two')`,
    (name: string) => `INSERT INTO ${name} (a, s) VALUES (1, 'one'), (2, 'two');`,
    (name: string) => `INSERT INTO ${name} FORMAT TSV\n1\tone\n2\ttwo\n`,
    (name: string) => `insert into table ${name}(a,s) settings max_threads=1 format CSV\r\n1,one\n2,two`,
    (name: string) =>
      `/* head */ INSERT INTO default.\`${name}\` -- which\n FORMAT JSONEachRow {"a":1,"s":"one"} {"a":2,"s":"two"}`,
    (name: string) => `INSERT INTO ${name} FORMAT Values (1, 'one'), (2, concat('t', 'wo'))`,
  ];
  for (const text of texts) {
    const name = await table();
    const { status, text: said } = await ask(engine, { body: text(name) });
    assert.equal(status, 200, `${text(name)}: ${said}`);
    assert.equal(await clickhouse.text(`SELECT ${READ} ${name} ORDER BY a`), ROWS, text(name));
  }
});

test("an INSERT begun in the URL goes on in the body", async () => {
  const name = await table();
  await ask(engine, { search: { query: `INSERT INTO ${name} VALUES (1, 'one'),` }, body: "(2, 'two')" });
  assert.equal(await clickhouse.text(`SELECT ${READ} ${name} ORDER BY a`), ROWS);
});

test("tables and columns may be called like the words of the statement", async () => {
  await clickhouse.command("CREATE TABLE values (format UInt8, select UInt8) ENGINE = Memory");
  await clickhouse.command("INSERT INTO values (format, select) VALUES (1, 2)");
  await clickhouse.insert({ sql: "INSERT INTO default.values FORMAT TSV", body: Buffer.from("3\t4\n") });
  assert.equal(await clickhouse.text("SELECT * FROM values ORDER BY 1"), "1\t2\n3\t4\n");
});

test("INSERT ... SELECT reads tables", async () => {
  const [from, to] = [await table(), await table()];
  await clickhouse.command(`INSERT INTO ${from} VALUES (1, 'one'), (2, 'two')`);
  await clickhouse.command(`INSERT INTO ${to} SELECT * FROM ${from}`);
  await clickhouse.command(`INSERT INTO ${to} (a, s) WITH 3 AS x SELECT x, 'three'`);
  assert.equal(await clickhouse.text(`SELECT count(), sum(a) FROM ${to}`), "3\t6\n");
});

test("a large body with its statement at the start is stored whole", async () => {
  const name = await table();
  const rows = Array.from({ length: 200_000 }, (_, index) => `${index}\t${"x".repeat(index % 40)}\n`);
  const body = `INSERT INTO ${name} FORMAT TSV\n${rows.join("")}`;
  assert.ok(body.length > 4 * 2 ** 20);
  assert.equal((await ask(engine, { body })).status, 200);
  assert.equal(
    await clickhouse.text(`SELECT count(), sum(a), sum(length(s)) FROM ${name}`),
    "200000\t19999900000\t3900000\n",
  );
});

test("a body in small pieces is stored whole", async () => {
  const name = await table();
  const pieces = Array.from({ length: 1000 }, (_, index) => Buffer.from(`${index}\ts`));
  const body = Readable.from(pieces.flatMap((piece) => [piece, Buffer.from("\n")]));
  await clickhouse.insert({ sql: `INSERT INTO ${name} FORMAT TSV`, body });
  assert.equal(await clickhouse.text(`SELECT count(), sum(a) FROM ${name}`), "1000\t499500\n");
});

test("the summary of an INSERT counts the rows written", async () => {
  const name = await table();
  const { headers, text } = await ask(engine, { body: `INSERT INTO ${name} VALUES (1, 'one'), (2, 'two')` });
  const summary = JSON.parse(headers["x-clickhouse-summary"]!) as Record<string, string>;
  assert.deepEqual([text, summary["written_rows"]], ["", "2"]);
});

test("settings of the URL hold for the INSERT", async () => {
  const name = await table();
  const body = Buffer.from('{"a":1,"s":"one","unknown":3}\n');
  const sql = `INSERT INTO ${name} FORMAT JSONEachRow`;
  await assert.rejects(clickhouse.insert({ sql, body, settings: { input_format_skip_unknown_fields: 0 } }), {
    clickhouseCode: 117,
  });
  await clickhouse.insert({ sql, body, settings: { input_format_skip_unknown_fields: 1 } });
  assert.equal(await clickhouse.text(`SELECT count() FROM ${name}`), "1\n");
});

test("a deduplication token stores a batch once", async () => {
  const name = "deduplicated";
  await clickhouse.command(
    `CREATE TABLE ${name} (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100`,
  );
  const insert = (token: string): Promise<void> =>
    clickhouse.insert({
      sql: `INSERT INTO ${name} FORMAT TSV`,
      body: Buffer.from("1\n"),
      settings: { insert_deduplication_token: token, async_insert: 0 },
    });
  for (const token of ["first", "first", "second"]) await insert(token);
  assert.equal(await clickhouse.text(`SELECT count() FROM ${name}`), "2\n");
});

test("one Native block becomes one part", async () => {
  const name = await table();
  const sql =
    "SELECT number AS a, 's' AS s FROM numbers(300000) SETTINGS max_block_size = 300000 FORMAT Native";
  const chunks: Buffer[] = [];
  for await (const chunk of await clickhouse.stream(sql)) chunks.push(chunk as Buffer);
  await clickhouse.command(`SYSTEM STOP MERGES ${name}`);
  await clickhouse.insert({ sql: `INSERT INTO ${name} FORMAT Native`, body: Buffer.concat(chunks) });
  const parts = `SELECT count(), sum(rows) FROM system.parts WHERE table = '${name}' AND active`;
  assert.equal(await clickhouse.text(parts), "1\t300000\n");
});

test("bad data is refused with a server's code and status, and stores nothing", async () => {
  const name = await table();
  const cases = [
    ["TSV", "1\tone\nx\ttwo\n", 27, 400],
    ["CSV", "x,one\n", 27, 400],
    ["JSONEachRow", '{"a":1,', 26, 400],
    ["JSONEachRow", '{"a":"x","s":""}', 27, 400],
    ["Native", "garbage", 33, 500],
    ["RowBinary", "short", 33, 500],
    ["Values", "(1, nosuch)", 47, 404],
    ["NoSuch", "1", 73, 404],
  ] as const;
  for (const [format, body, code, status] of cases) {
    const answer = await ask(engine, { search: { query: `INSERT INTO ${name} FORMAT ${format}` }, body });
    const said = [answer.status, answer.headers["x-clickhouse-exception-code"]];
    assert.deepEqual(said, [status, String(code)], `${format} ${body}: ${answer.text}`);
    assert.doesNotMatch(answer.text, /incoming|INFILE|parsed from file/);
    // The session that failed is not the one that goes on.
    assert.equal(await clickhouse.text("SELECT 1"), "1\n");
  }
  assert.equal(await clickhouse.text(`SELECT count() FROM ${name}`), "0\n");
});

test("an INSERT into what is not there is refused by name", async () => {
  const unknown = await ask(engine, { body: "INSERT INTO nowhere FORMAT TSV\n1\n" });
  assert.deepEqual([unknown.status, unknown.headers["x-clickhouse-exception-code"]], [404, "60"]);
  const column = await ask(engine, { body: `INSERT INTO ${await table()} (b) FORMAT TSV\n1\n` });
  assert.equal(column.headers["x-clickhouse-exception-code"], "16");
});

test("nothing is left in the folders of passing files", async () => {
  assert.deepEqual(await readdir(join(dataDir, "incoming")), []);
  const outgoing = await readdir(join(dataDir, "outgoing"));
  assert.ok(
    outgoing.every((file) => file.startsWith("pipe-")),
    outgoing.join(),
  );
});
