import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Answer, ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse, dataDir } = await startTestEngine({ after });
await clickhouse.command("CREATE TABLE names (a UInt64, name String) ENGINE = MergeTree ORDER BY a");
await clickhouse.command("INSERT INTO names VALUES (1, 'uno')");

let tables = 0;

/** A new empty table and its name. */
async function table(): Promise<string> {
  tables += 1;
  await clickhouse.command(`CREATE TABLE t${tables} (a UInt64, s String) ENGINE = MergeTree ORDER BY a`);
  return `t${tables}`;
}

const ROWS = "1\tone\n2\ttwo\n";

/** Every file below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function codeOf({ headers }: Answer): string | undefined {
  return headers["x-clickhouse-exception-code"];
}

test("INSERT … SELECT FROM input() computes over the rows of the body", async () => {
  const input = "input('a UInt64, s String')";
  const cases = {
    [`SELECT a + 10, upper(s) FROM ${input} FORMAT TSV`]: "11\tONE\n12\tTWO\n",
    [`(s, a) SELECT s, a FROM ${input} AS i WHERE i.a > 1 FORMAT TSV`]: "2\ttwo\n",
    [`SELECT a, any(name) FROM ${input} JOIN names USING (a) GROUP BY a FORMAT TabSeparated`]: "1\tuno\n",
    [`WITH i AS (SELECT * FROM ${input}) SELECT * FROM i ORDER BY a FORMAT TSV`]: ROWS,
    [`SELECT * FROM /* x */ Input ( 'a UInt64, s String' ) -- y\n format TSV`]: ROWS,
    [`SELECT * FROM ${input} SETTINGS max_threads = 1 FORMAT TSV`]: ROWS,
    [`SELECT * FROM (SELECT * FROM ${input}) FORMAT TSV`]: ROWS,
  };
  for (const [sql, stored] of Object.entries(cases)) {
    for (const inUrl of [true, false]) {
      const name = await table();
      const query = `INSERT INTO ${name} ${sql}`;
      const answer = await ask(
        engine,
        inUrl ? { search: { query }, body: ROWS } : { body: `${query}\n${ROWS}` },
      );
      assert.equal(answer.status, 200, `${sql}: ${answer.text}`);
      assert.equal(await clickhouse.text(`SELECT a, s FROM ${name} ORDER BY a`), stored, sql);
    }
  }
});

test("the settings of an INSERT and of its SELECT hold for reading the data", async () => {
  const name = await table();
  const query = `INSERT INTO ${name} SETTINGS format_csv_delimiter = ';' SELECT * FROM input('a UInt64, s String') SETTINGS max_threads = 1 FORMAT CSV`;
  const answer = await ask(engine, { search: { query }, body: "1;one\n2;two\n" });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await clickhouse.text(`SELECT a, s FROM ${name} ORDER BY a`), ROWS);
});

test("types of input() are kept, and a compressed body is decoded", async () => {
  const sql =
    "INSERT INTO kept SELECT * FROM input('l LowCardinality(Nullable(String)), e Enum8(\\'x\\' = 1), t Tuple(a UInt8, b Array(DateTime64(9)))') FORMAT JSONEachRow";
  await clickhouse.command(
    "CREATE TABLE kept (l LowCardinality(Nullable(String)), e Enum8('x' = 1), t Tuple(a UInt8, b Array(DateTime64(9)))) ENGINE = Memory",
  );
  const body = gzipSync('{"l":null,"e":"x","t":{"a":1,"b":["2026-01-02 03:04:05.123456789"]}}\n');
  const answer = await ask(engine, { search: { query: sql }, headers: { "content-encoding": "gzip" }, body });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(
    await clickhouse.text("SELECT * FROM kept"),
    "\\N\tx\t(1,['2026-01-02 03:04:05.123456789'])\n",
  );
});

test("a blank line and a statement in the data of input() stay data", async () => {
  const name = await table();
  const query = `INSERT INTO ${name} SELECT 1, s FROM input('s String') FORMAT TSV`;
  const answer = await ask(engine, { search: { query }, body: "one\n\nDROP TABLE names\n\nSELECT 1\n" });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(
    await clickhouse.text(`SELECT groupArray(s) FROM (SELECT s FROM ${name} ORDER BY s)`),
    "['','','DROP TABLE names','SELECT 1','one']\n",
  );
  assert.equal(await clickhouse.text("SELECT count() FROM names"), "1\n");
});

test("bad rows or a failing SELECT store nothing and leave nothing behind, in a session too", async () => {
  const name = await table();
  const start = `INSERT INTO ${name} SELECT`;
  for (const search of [{}, { session_id: "input" }]) {
    await ask(engine, { body: "SET max_block_size = 77", search });
    const cases = {
      [`${start} * FROM input('a UInt64, s String') FORMAT TSV\nbad\n`]: "27",
      [`${start} throwIf(1), s FROM input('a UInt64, s String') FORMAT TSV\n${ROWS}`]: "395",
      [`${start} nosuch, s FROM input('a UInt64, s String') FORMAT TSV\n${ROWS}`]: "47",
      [`${start} * FROM input('a NoSuchType') FORMAT TSV\n${ROWS}`]: "50",
    };
    for (const [body, code] of Object.entries(cases)) {
      const answer = await ask(engine, { body, search });
      assert.equal(codeOf(answer), code, answer.text);
    }
    const left = await ask(engine, { body: "SELECT name FROM system.tables WHERE is_temporary", search });
    assert.equal(left.text, "");
  }
  assert.equal(await clickhouse.text(`SELECT count() FROM ${name}`), "0\n");
  assert.deepEqual(await readdir(join(dataDir, "incoming")), []);
  const files = await filesIn(join(dataDir, "db"));
  assert.deepEqual(
    files.filter((file) => file.includes("temporary")),
    [],
  );
});

test("input() goes into a session's temporary table", async () => {
  const search = { session_id: "into" };
  await ask(engine, { body: "CREATE TEMPORARY TABLE mine (a UInt64)", search });
  const sql = "INSERT INTO mine SELECT a FROM input('a UInt64, s String') FORMAT TSV";
  const answer = await ask(engine, { body: `${sql}\n${ROWS}`, search });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await ask(engine, { body: "SELECT sum(a) FROM mine", search })).text, "3\n");
});

test("what could hide SQL or a file in input() is refused", async () => {
  const name = await table();
  const start = `INSERT INTO ${name} SELECT a, '' FROM`;
  const cases = {
    [`${start} input('a UInt64 DEFAULT file(''x'')') FORMAT TSV\n1\n`]: "497",
    [`${start} input('a UInt64') WHERE file('x') = '' FORMAT TSV\n1\n`]: "497",
    [`${start} input($$a UInt64$$) FORMAT TSV\n1\n`]: "497",
    [`${start} input('a UInt64'), input('b UInt64') FORMAT TSV\n1\n`]: "62",
    [`${start} input('a UInt64', 'b') FORMAT TSV\n1\n`]: "62",
    [`${start} input() FORMAT TSV\n1\n`]: "62",
    [`${start} input('a UInt64')`]: "62",
    [`${start} input('a UInt64') VALUES (1)`]: "62",
    [`EXPLAIN ${start} input('a UInt64') FORMAT TSV\n1\n\nDROP TABLE names`]: "62",
    [`SELECT * FROM input('a UInt64') FORMAT TSV`]: "477",
  };
  for (const [body, code] of Object.entries(cases)) {
    const answer = await ask(engine, { body });
    assert.equal(codeOf(answer), code, `${body}: ${answer.text}`);
  }
  const body = `${start} input('a UInt64') FORMAT TSV\n1\n`;
  assert.equal(codeOf(await ask(engine, { body, asOwner: false })), "164");
  assert.equal(await clickhouse.text("SELECT count() FROM names"), "1\n");
});
