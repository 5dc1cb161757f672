import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Answer, ask, type Question, startTestEngine } from "../support/engine.js";

/** Each test is one way to get out of the data folder or past a right by SQL. What must stay untouched lies around it. */

const { engine, clickhouse, dataDir } = await startTestEngine({ after });
await clickhouse.command("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a");
await clickhouse.command("INSERT INTO kept VALUES (1)");

const outside = join(dirname(dataDir), "outside");
mkdirSync(outside);
const canary = join(outside, "canary");
writeFileSync(canary, "CANARY");

let connections = 0;
const listener = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
listener.listen(0, "127.0.0.1");
await once(listener, "listening");
after(() => listener.close());
const { port } = listener.address() as { port: number };
const host = `127.0.0.1:${port}`;

function codeOf(answer: Answer): string | undefined {
  return answer.headers["x-clickhouse-exception-code"];
}

/** Asks with and without the password; nothing gets out, in or across, whatever the answer. */
async function attack(statements: readonly (string | Question)[], isRefused = true): Promise<void> {
  for (const statement of statements) {
    const question = typeof statement === "string" ? { body: statement } : statement;
    for (const asOwner of [false, true]) {
      const answer = await ask(engine, { ...question, asOwner });
      const what = `${JSON.stringify(question)}: ${answer.status} ${answer.text}`;
      if (isRefused) assert.ok(answer.status >= 400, what);
      assert.ok(!answer.text.includes("CANARY"), what);
      assert.ok(!answer.text.includes(engine.password), what);
    }
  }
  assert.equal(connections, 0, "something connected");
  assert.deepEqual(readdirSync(outside), ["canary"]);
  assert.deepEqual(readdirSync(dirname(dataDir)).sort(), ["clickhouse", "outside"]);
  assert.equal(await clickhouse.text("SELECT a FROM kept"), "1\n");
}

test("table functions of other machines are refused before anything connects", () =>
  attack([
    `SELECT * FROM url('http://${host}/', LineAsString)`,
    `SELECT * FROM s3('http://${host}/bucket/x', 'k', 's', 'LineAsString', 'a String')`,
    `SELECT * FROM gcs('http://${host}/bucket/x', 'k', 's', 'LineAsString', 'a String')`,
    `SELECT * FROM iceberg('http://${host}/bucket/x', 'k', 's')`,
    `SELECT * FROM deltaLake('http://${host}/bucket/x', 'k', 's')`,
    `SELECT * FROM azureBlobStorage('http://${host}/', 'c', 'b', 'n', 'k')`,
    `SELECT * FROM hdfs('hdfs://${host}/a', 'TSV', 'a String')`,
    `SELECT * FROM remote('${host}', system.one)`,
    `SELECT * FROM remoteSecure('${host}', system.one)`,
    `SELECT * FROM mysql('${host}', 'a', 'b', 'c', 'd')`,
    `SELECT * FROM "postgresql"('${host}', 'a', 'b', 'c', 'd')`,
    `SELECT * FROM mongodb('${host}', 'a', 'b', 'c', 'd', 'e String')`,
    `SELECT * FROM redis('${host}', 'a', 'a String')`,
    `INSERT INTO FUNCTION url('http://${host}/', TSV, 'a UInt8') SELECT 1`,
    `INSERT INTO FUNCTION remote('${host}', system.one) VALUES (1)`,
    `EXPLAIN SELECT * FROM url('http://${host}/', LineAsString)`,
    `DESCRIBE TABLE url('http://${host}/', LineAsString)`,
    `WITH t AS (SELECT * FROM url('http://${host}/', LineAsString)) SELECT * FROM t`,
    `SELECT (SELECT * FROM url('http://${host}/', LineAsString))`,
    `SELECT 1 IN (SELECT * FROM view(SELECT * FROM url('http://${host}/', LineAsString)))`,
    `CREATE VIEW v AS SELECT * FROM url('http://${host}/', LineAsString)`,
    `CREATE TABLE t ENGINE = Memory AS SELECT * FROM url('http://${host}/', LineAsString)`,
  ]));

test("table and database engines that reach out are refused", () =>
  attack([
    `CREATE TABLE t (a UInt8) ENGINE = URL('http://${host}/', TSV)`,
    `CREATE TABLE t (a UInt8) ENGINE = S3Queue('http://${host}/bucket/x', 'TSV')`,
    `CREATE TABLE t (a UInt8) ENGINE = Kafka('${host}', 't', 'g', 'TSV')`,
    `CREATE TABLE t (a UInt8) ENGINE = ExecutablePool('cat', TSV)`,
    `CREATE TABLE t (a UInt8) ENGINE = FileLog('${outside}', 'TSV')`,
    `CREATE TABLE t (a UInt8) ENGINE = EmbeddedRocksDB(0, '${outside}/rocks') PRIMARY KEY a`,
    `CREATE TABLE t (a UInt8) ENGINE \`EmbeddedRocksDB\` /* */ (0, '${outside}/rocks') PRIMARY KEY a`,
    `CREATE MATERIALIZED VIEW t ENGINE = EmbeddedRocksDB(0, '${outside}/rocks') PRIMARY KEY a AS SELECT a FROM kept`,
    "CREATE TABLE t (a UInt8) ENGINE = EmbeddedRocksDB PRIMARY KEY a",
    "CREATE TABLE t (query String) ENGINE = QueryRunner",
    'CREATE TABLE t (query String) ENGINE "QueryRunner"',
    `CREATE TABLE t (a UInt8) ENGINE = SQLite('${outside}/x', 't')`,
    `CREATE TEMPORARY TABLE t (a UInt8) ENGINE = File(TSV, '${canary}')`,
    {
      body: `CREATE DATABASE d ENGINE = DataLakeCatalog('http://${host}/') SETTINGS warehouse = 'x', catalog_type = 'rest'`,
      search: { allow_database_iceberg: "1" },
    },
    `CREATE DATABASE d ENGINE = MySQL('${host}', 'a', 'b', 'c')`,
    `CREATE DATABASE d ENGINE = SQLite('${outside}/x')`,
    `CREATE DATABASE d ENGINE = S3('http://${host}/bucket')`,
    `CREATE DATABASE d ENGINE = Backup('a', Disk('default', 'x'))`,
    `CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = 'http://${host}/')`,
    `ATTACH TABLE t FROM '${outside}' (a UInt8) ENGINE = MergeTree ORDER BY a`,
    `ATTACH TABLE t FROM '../../outside' (a UInt8) ENGINE = MergeTree ORDER BY a`,
  ]));

test("a dictionary reads a table of this engine and nothing else", async () => {
  const dictionary = (source: string, layout = "FLAT()"): string =>
    `CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(${source}) LAYOUT(${layout}) LIFETIME(0)`;
  await attack([
    dictionary(`CLICKHOUSE(HOST '127.0.0.1' PORT ${port} DB 'a' TABLE 'b')`),
    dictionary(`CLICKHOUSE("host" '127.0.0.1' "port" ${port} TABLE 'b')`),
    dictionary(`CLICKHOUSE(TABLE 'b' HOST '127.0.0.1' PORT ${port})`),
    dictionary(`CLICKHOUSE(QUERY 'SELECT 1, file(\\'${canary}\\')')`),
    dictionary(`CLICKHOUSE(QUERY $$SELECT 1, file('${canary}')$$ DB 'default')`),
    dictionary(`/**/ clickhouse /**/ (TABLE 'one' DB 'system' WHERE $$file('${canary}') != ''$$)`),
    dictionary(`CLICKHOUSE(TABLE 'one' INVALIDATE_QUERY $$SELECT file('${canary}')$$)`),
    dictionary(`CLICKHOUSE(NAME other)`),
    dictionary(`\`CLICKHOUSE\`(QUERY 'SELECT 1')`),
    dictionary(`FILE(PATH '${canary}' FORMAT 'TSV')`),
    dictionary(`EXECUTABLE(COMMAND 'cat ${canary}' FORMAT 'TSV')`),
    dictionary("EXECUTABLE_POOL(COMMAND 'cat' FORMAT 'TSV')"),
    dictionary(`HTTP(URL 'http://${host}/' FORMAT 'TSV')`),
    dictionary(`YAMLREGEXPTREE(PATH '${canary}')`, "REGEXP_TREE()"),
    dictionary(`MYSQL(HOST '127.0.0.1' PORT ${port} DB 'a' TABLE 'b')`),
    dictionary("CLICKHOUSE(TABLE 'kept')", `SSD_CACHE(PATH '${outside}/cache')`),
  ]);
  await clickhouse.command(
    "CREATE DICTIONARY own (a UInt64) PRIMARY KEY a SOURCE(CLICKHOUSE(TABLE kept DB 'default')) LAYOUT(FLAT()) LIFETIME(0)",
  );
  assert.equal(await clickhouse.text("SELECT a FROM own"), "1\n");
});

test("names with dots and slashes stay in the data folder", () =>
  attack(
    [
      "CREATE DATABASE `../../d`",
      "CREATE TABLE `../../t` (`../../../c` UInt8) ENGINE = Log",
      "INSERT INTO `../../t` SELECT 1",
      "CREATE FUNCTION `../../../f` AS x -> x",
      "ALTER TABLE kept FREEZE WITH NAME '../../../frozen'",
      "ALTER TABLE kept ATTACH PART '../../../outside'",
      "ALTER TABLE kept DROP DETACHED PART '../../../outside' SETTINGS allow_drop_detached = 1",
      "SYSTEM UNFREEZE WITH NAME '../../../outside'",
    ],
    false,
  ));

test("ids of queries and sessions name no file", async () => {
  for (const name of ["../../outside/x", `${outside}/x`, "/x", "..", "a\0b"]) {
    await attack(
      [
        { search: { query: "SELECT 1", query_id: name, wait_end_of_query: "1" } },
        { search: { query: "INSERT INTO kept FORMAT TSV", query_id: name }, body: "" },
        { search: { query: "SELECT 1", session_id: name } },
      ],
      false,
    );
  }
});

test("links laid into the passing folders are not followed", async () => {
  symlinkSync(canary, join(dataDir, "incoming", "link"));
  symlinkSync(canary, join(dataDir, "outgoing", "link"));
  await attack([
    `SELECT * FROM file('${dataDir}/incoming/link', LineAsString)`,
    `INSERT INTO kept FROM INFILE '${dataDir}/incoming/link' FORMAT TSV`,
    `INSERT INTO kept FROM INFILE 'incoming/link' FORMAT TSV`,
    `SELECT 1 INTO OUTFILE '${dataDir}/outgoing/link' TRUNCATE`,
  ]);
  assert.equal((await ask(engine, { body: "SELECT 1", search: { wait_end_of_query: "1" } })).text, "1\n");
  engine.kill();
  await engine.restart();
  // Emptied at start: the links go, not what they point to.
  assert.ok(!existsSync(join(dataDir, "incoming", "link")));
  assert.equal(readFileSync(canary, "utf8"), "CANARY");
});

test("the secret is in no table, function or setting", async () => {
  const secret = join(dataDir, "secret");
  await attack([
    `SELECT * FROM file('${secret}', LineAsString)`,
    `SELECT file('${secret}')`,
    `SELECT * FROM fileCluster('default', '${secret}', 'LineAsString')`,
    `SELECT * FROM filesystem('${dataDir}')`,
    `SELECT * FROM format(LineAsString, file('${secret}'))`,
    `SELECT * FROM url('file://${secret}', LineAsString)`,
    `SELECT * FROM icebergLocal('${dataDir}')`,
    `SELECT * FROM sqlite('${secret}', 't')`,
    `SELECT * FROM executable('cat ${secret}', LineAsString, 's String')`,
    `INSERT INTO kept FROM INFILE '${secret}' FORMAT LineAsString`,
    "SELECT * FROM system.users",
    "SELECT * FROM system.grants",
    "SHOW CREATE USER default",
    "SELECT * FROM system.symbols",
  ]);
  const tables = await clickhouse.text(
    "SELECT name FROM system.tables WHERE database = 'system' AND name NOT IN ('numbers', 'numbers_mt', 'zeros', 'zeros_mt', 'primes', 'one', 'unicode', 'stack_trace', 'licenses', 'contributors', 'time_zones', 'models') AND name NOT LIKE 'generate%'",
  );
  for (const name of tables.trim().split("\n")) {
    await ask(engine, { body: `SELECT * FROM system.${name} LIMIT 100000`, asOwner: false }).then((answer) =>
      assert.ok(!answer.text.includes(engine.password), name),
    );
  }
});

test("read-only cannot be left by a setting, wherever it stands", async () => {
  for (const body of [
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT getSetting('readonly') SETTINGS readonly = DEFAULT",
    "SELECT getSetting('readonly') SETTINGS max_threads = 1, readonly /* */ = -- \n default",
    "SELECT * FROM (SELECT 1 SETTINGS readonly = DEFAULT)",
  ]) {
    const answer = await ask(engine, { body, asOwner: false });
    assert.ok(answer.status >= 400, `${body}: ${answer.text}`);
  }
  const inside = "SELECT getSetting('readonly') FROM (SELECT 1 SETTINGS readonly = 0)";
  assert.notEqual((await ask(engine, { body: inside, asOwner: false })).text, "0\n");
});

test("a statement in another one's clothes changes nothing without the password", async () => {
  for (const body of [
    "EXPLAIN INSERT INTO kept SELECT 2",
    "EXPLAIN PIPELINE INSERT INTO kept SELECT 2",
    "EXPLAIN ANALYZE INSERT INTO kept SELECT 2",
    "EXPLAIN AST INSERT INTO kept FORMAT TSV 2\n\nINSERT INTO kept SELECT 2",
    "EXPLAIN SELECT 1; INSERT INTO kept SELECT 2",
    "SELECT 1;\n\nINSERT INTO kept SELECT 2",
    "SELECT 1 FORMAT TSV\n\nINSERT INTO kept SELECT 2",
    "SELECT * FROM viewExplain('EXPLAIN', '', (INSERT INTO kept SELECT 2))",
    "WITH x AS (SELECT 2) INSERT INTO kept SELECT * FROM x",
    "FROM kept INSERT INTO kept SELECT a",
    "(INSERT INTO kept SELECT 2)",
    "/* SELECT */ INSERT INTO kept SELECT 2",
    "-- SELECT\nINSERT INTO kept SELECT 2",
    "/*/**/SELECT 1*/ INSERT INTO kept SELECT 2",
    "\u00a0INSERT INTO kept SELECT 2",
    "\u2028DROP TABLE kept",
    "SHOW TABLES PARALLEL WITH DROP TABLE kept",
    "SELECT 1 PARALLEL WITH DROP TABLE kept",
    "CHECK TABLE kept; DROP TABLE kept",
    "DESCRIBE kept\n;\nDROP TABLE kept",
    "EXECUTE AS default DROP TABLE kept",
    "BEGIN TRANSACTION",
    "CREATE VIEW v AS SELECT 1",
    "CREATE FUNCTION f AS x -> x",
    "ALTER TABLE kept MODIFY COMMENT 'x'",
    "ALTER TABLE kept UPDATE a = 2 WHERE 1",
    "UPDATE kept SET a = 2 WHERE 1",
    "SYSTEM RELOAD CONFIG",
    "SYSTEM STOP MERGES",
    "KILL QUERY WHERE 1 SYNC",
    "KILL MUTATION WHERE 1",
    "SET ROLE ALL",
  ]) {
    const answer = await ask(engine, { body, asOwner: false });
    assert.equal(await clickhouse.text("SELECT a FROM kept"), "1\n", `${body}: ${answer.text}`);
    if (!body.startsWith("EXPLAIN ")) assert.ok(answer.status >= 400, `${body}: ${answer.text}`);
  }
});

test("no table of the system makes the engine write outside of the data folder", async () => {
  const dumps = (): number =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`jemalloc_clickhouse.${engine.pid}.`)).length;
  for (const body of [
    "SELECT * FROM system.jemalloc_profile_text",
    "SELECT * FROM merge('system', '^jemalloc_profile_text$')",
    "SYSTEM JEMALLOC FLUSH PROFILE",
  ]) {
    assert.notEqual((await ask(engine, { body })).status, 200, body);
    assert.equal(dumps(), 0, body);
  }
});

test("users, grants, faults and shutdown are beyond the owner too", () =>
  attack([
    "CREATE USER u",
    "ALTER USER default IDENTIFIED BY 'x'",
    "DROP USER default",
    "CREATE ROLE r",
    "GRANT ALL ON *.* TO default",
    "REVOKE SELECT ON *.* FROM default",
    "CREATE ROW POLICY p ON kept USING 0 TO default",
    "CREATE QUOTA q",
    "CREATE SETTINGS PROFILE p",
    "CREATE NAMED COLLECTION n AS a = 1",
    "CREATE VIEW v DEFINER = admin SQL SECURITY DEFINER AS SELECT 1",
    "CREATE VIEW v SQL SECURITY NONE AS SELECT 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM KILL",
    "SYSTEM SUSPEND FOR 1 SECOND",
    "SYSTEM ENABLE FAILPOINT replicated_merge_tree_commit_zk_fail_after_op",
    "SYSTEM START THREAD FUZZER",
    "SYSTEM START LISTEN HTTP",
  ]));

test("settings that run other statements, programs or models are refused", async () => {
  for (const name of ["ast_fuzzer_runs", "ast_fuzzer_any_query", "allow_experimental_ai_functions"]) {
    await attack([{ body: "SELECT 1", search: { [name]: "1" } }, `SELECT 1 SETTINGS ${name} = 1`]);
  }
});

test("values in the data of an INSERT may be expressions, but none that reads files", async () => {
  await clickhouse.command("CREATE TABLE texts (s String) ENGINE = Memory");
  const insert = "INSERT INTO texts VALUES";
  assert.equal((await ask(engine, { body: `${insert} (toString(1 + 1)), (upper('x'))` })).status, 200);
  assert.equal((await ask(engine, { body: `${insert} ('a file'), ('"\\x66\\n')` })).status, 200);
  assert.equal(
    await clickhouse.text("SELECT groupArray(s) FROM (SELECT s FROM texts ORDER BY s)"),
    "['\"f\\n','2','X','a file']\n",
  );
  const calls = [
    `file('${canary}')`,
    `FILE /* x */ ('${canary}')`,
    `\`file\`('${canary}')`,
    `\`\\x66ile\`('${canary}')`,
    `"\\x66ile"('${canary}')`,
    `“file”('${canary}')`,
    `(SELECT file('${canary}'))`,
    `arrayStringConcat(arrayMap(x -> file(x), ['${canary}']))`,
    `arrayStringConcat(arrayMap({f:Identifier}, ['${canary}']))`,
  ];
  const on =
    "input_format_values_interpret_expressions = 1, input_format_values_deduce_templates_of_expressions = 1";
  for (const call of calls) {
    const questions: Question[] = [
      { body: `${insert} (${call})` },
      { search: { query: insert }, body: `('x'), (${call})` },
      { search: { query: `${insert} (${call})` } },
      { body: `INSERT INTO texts SETTINGS ${on} VALUES (${call})` },
      { body: `INSERT INTO texts SELECT * FROM input('s String') SETTINGS ${on} FORMAT Values (${call})` },
      {
        search: { query: insert },
        headers: { "content-encoding": "gzip" },
        body: gzipSync(`(${call})`),
      },
    ];
    for (const question of questions) {
      const answer = await ask(engine, { ...question, search: { param_f: "file", ...question.search } });
      assert.equal(codeOf(answer), "344", `${call}: ${answer.text}`);
      assert.doesNotMatch(answer.text, /CANARY/);
    }
  }
  assert.equal(await clickhouse.text("SELECT count() FROM texts"), "4\n");
  assert.equal(codeOf(await ask(engine, { body: `${insert} ('y')`, asOwner: false })), "164");
});

test("the oracle of these tests sees a connection", async () => {
  const before = connections;
  await once(connect(port, "127.0.0.1"), "close");
  assert.equal(connections, before + 1);
  connections = before;
});
