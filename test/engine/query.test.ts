import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ask, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse } = await startTestEngine({ after });

test("ping answers Ok and names this life of the engine", async () => {
  const first = await ask(engine, { method: "GET", path: "/ping", asOwner: false });
  assert.equal(first.status, 200);
  assert.equal(first.text, "Ok.\n");
  assert.match(first.headers["x-clickhouse-server-display-name"]!, /^coldpath-embedded-[0-9a-f]{16}$/);
});

test("a query comes from the URL, the body, or both joined", async () => {
  for (const question of [
    { search: { query: "SELECT 1 + 1" } },
    { body: "SELECT 1 + 1" },
    { search: { query: "SELECT 1" }, body: "+ 1" },
    { method: "GET" as const, search: { query: "SELECT 1 + 1" } },
  ]) {
    assert.deepEqual((await ask(engine, question)).text, "2\n");
  }
});

test("the result format comes from the statement, the URL or the header, and the answer names it", async () => {
  const formats = [
    [{ body: "SELECT 1 AS a FORMAT JSONEachRow" }, "JSONEachRow", "application/x-ndjson; charset=UTF-8"],
    [
      { body: "SELECT 1 AS a", search: { default_format: "CSVWithNames" } },
      "CSVWithNames",
      "text/csv; charset=UTF-8; header=present",
    ],
    [
      { body: "SELECT 1 AS a", headers: { "x-clickhouse-format": "Native" } },
      "Native",
      "application/octet-stream",
    ],
    [{ body: "SHOW DATABASES" }, "TabSeparated", "text/tab-separated-values; charset=UTF-8"],
  ] as const;
  for (const [question, format, type] of formats) {
    const { status, headers } = await ask(engine, question);
    assert.deepEqual([status, headers["x-clickhouse-format"], headers["content-type"]], [200, format, type]);
  }
});

test("the FORMAT clause is found behind nested ones, before SETTINGS, and after a comment", async () => {
  const texts = {
    "SELECT * FROM format(CSV, 'x\n') FORMAT TSV": "x\n",
    "SELECT 1 AS format FORMAT CSV": "1\n",
    "SELECT 1 FORMAT TSV SETTINGS max_threads = 1": "1\n",
    "SELECT 1 SETTINGS max_threads = 1 FORMAT TSV": "1\n",
    "SELECT 1 -- FORMAT JSON": "1\n",
    "SELECT 1 -- FORMAT JSON\n FORMAT TSV": "1\n",
    "(SELECT 1) UNION ALL (SELECT 1) FORMAT TSV;": "1\n1\n",
    "WITH 'FORMAT Null' AS x SELECT x": "FORMAT Null\n",
    "FROM numbers(2) SELECT number": "0\n1\n",
  };
  for (const [sql, expected] of Object.entries(texts)) {
    assert.equal((await ask(engine, { body: sql })).text, expected, sql);
    assert.equal((await ask(engine, { body: sql, search: { wait_end_of_query: "1" } })).text, expected, sql);
  }
});

test("settings in the URL reach the statement and end with it", async () => {
  const read = "SELECT getSetting('max_block_size'), getSetting('log_comment')";
  const search = { max_block_size: "1234", log_comment: "it's \\ here" };
  assert.equal((await ask(engine, { body: read, search })).text, "1234\tit\\'s \\\\ here\n");
  for (let again = 0; again < 10; again++) {
    assert.notEqual((await ask(engine, { body: read })).text.split("\t")[0], "1234");
  }
});

test("SET, USE and temporary tables end with their request", async () => {
  await clickhouse.command("CREATE DATABASE elsewhere");
  for (const body of [
    "SET max_block_size = 77",
    "USE elsewhere",
    "CREATE TEMPORARY TABLE passing (a UInt8)",
  ]) {
    assert.equal((await ask(engine, { body })).status, 200);
  }
  for (let again = 0; again < 10; again++) {
    const { text } = await ask(engine, {
      body: "SELECT currentDatabase(), getSetting('max_block_size') = 77",
    });
    assert.equal(text, "default\t0\n");
    assert.equal((await ask(engine, { body: "EXISTS TEMPORARY TABLE passing" })).text, "0\n");
  }
});

test("the database of a request is its own", async () => {
  const body = "SELECT currentDatabase()";
  const answers = await Promise.all([
    ask(engine, { body, search: { database: "system" } }),
    ask(engine, { body, headers: { "x-clickhouse-database": "information_schema" } }),
    ask(engine, { body }),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.text),
    ["system\n", "information_schema\n", "default\n"],
  );
  const unknown = await ask(engine, { body, search: { database: "no`such" } });
  assert.equal(unknown.headers["x-clickhouse-exception-code"], "81");
});

test("parameters are typed values and never SQL", async () => {
  const { text } = await ask(engine, {
    body: "SELECT {n:UInt64} + 1, {s:String}, {l:Array(String)}, {t:DateTime64(9, 'UTC')}, {i:Identifier} FROM (SELECT 5 AS col)",
    search: {
      param_n: "41",
      param_s: "'); DROP TABLE x; -- \\n",
      param_l: "['a','b']",
      param_t: "2026-01-02 03:04:05.123456789",
      param_i: "col",
    },
  });
  assert.equal(text, "42\t\\'); DROP TABLE x; -- \\n\t['a','b']\t2026-01-02 03:04:05.123456789\t5\n");
});

test("a parameter of one request is not there for the next", async () => {
  assert.equal(
    (await ask(engine, { body: "SELECT {p:String}", search: { param_p: "mine" } })).text,
    "mine\n",
  );
  const { status, text } = await ask(engine, { body: "SELECT {p:String}" });
  assert.equal(status, 500);
  assert.match(text, /^Code: 456\. DB::Exception: Substitution `p` is not set\. \(UNKNOWN_QUERY_PARAMETER\)/);
});

test("a given query id is returned, and found in system.processes as the log comment", async () => {
  const { headers, text } = await ask(engine, {
    body: "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'batch-7-1'",
    search: { query_id: "batch-7-1" },
  });
  assert.equal(headers["x-clickhouse-query-id"], "batch-7-1");
  assert.equal(text, "1\n");
});

test("two statements in one request are refused, a closing semicolon is not", async () => {
  const two = await ask(engine, { body: "SELECT 1; SELECT 2" });
  assert.deepEqual([two.status, two.headers["x-clickhouse-exception-code"]], [400, "62"]);
  assert.match(two.text, /Multi-statements are not allowed/);
  assert.equal((await ask(engine, { body: "SELECT 1 ; ; -- end\n" })).text, "1\n");
});

test("an exception has a server's status, code header and text", async () => {
  await clickhouse.command("CREATE TABLE known (a UInt8) ENGINE = Memory");
  const cases = [
    ["SELEC 1", 400, 62, "SYNTAX_ERROR"],
    ["", 400, 62, "SYNTAX_ERROR"],
    ["SELECT 'open", 400, 62, "SYNTAX_ERROR"],
    ["SELECT * FROM unknown", 404, 60, "UNKNOWN_TABLE"],
    ["SELECT * FROM unknown.t", 404, 81, "UNKNOWN_DATABASE"],
    ["SELECT b FROM known", 404, 47, "UNKNOWN_IDENTIFIER"],
    ["SELECT nosuch(1)", 404, 46, "UNKNOWN_FUNCTION"],
    ["SELECT 1 FORMAT NoSuch", 404, 73, "UNKNOWN_FORMAT"],
    ["SELECT toUInt8('x')", 400, 6, "CANNOT_PARSE_TEXT"],
    ["SELECT 1 SETTINGS no_such_setting = 1", 404, 115, "UNKNOWN_SETTING"],
    ["CREATE TABLE known (a UInt8) ENGINE = Memory", 500, 57, "TABLE_ALREADY_EXISTS"],
    ["SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"],
    ["SELECT sleep(1) SETTINGS max_execution_time = 0.1", 408, 159, "TIMEOUT_EXCEEDED"],
    [
      "SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000",
      500,
      241,
      "MEMORY_LIMIT_EXCEEDED",
    ],
  ] as const;
  for (const wait of ["0", "1"]) {
    for (const [body, status, code, name] of cases) {
      const answer = await ask(engine, { body, search: { wait_end_of_query: wait } });
      assert.deepEqual(
        [answer.status, answer.headers["x-clickhouse-exception-code"]],
        [status, String(code)],
        body,
      );
      assert.match(
        answer.text,
        new RegExp(`^Code: ${code}\\. DB::Exception: [^]*\\(${name}\\) \\(version [0-9.]+\\)\\n$`),
        body,
      );
      assert.doesNotMatch(answer.text, /OUTFILE|outgoing/, body);
    }
  }
});

test("an unknown setting in the URL is refused by its name", async () => {
  const { status, text } = await ask(engine, { body: "SELECT 1", search: { no_such_setting: "1" } });
  assert.equal(status, 404);
  assert.match(text, /^Code: 115\. DB::Exception: Unknown setting 'no_such_setting'/);
  const odd = await ask(engine, { body: "SELECT 1", search: { "max_threads = 1, readonly": "0" } });
  assert.equal(odd.headers["x-clickhouse-exception-code"], "115");
});

test("the summary counts the rows of the result", async () => {
  const { headers } = await ask(engine, {
    body: "SELECT number FROM numbers(1000)",
    search: { wait_end_of_query: "1" },
  });
  const summary = JSON.parse(headers["x-clickhouse-summary"]!) as Record<string, string>;
  assert.deepEqual([summary["result_rows"], summary["result_bytes"]], ["1000", "8000"]);
});

test("views, mutations and partitions work", async () => {
  await clickhouse.command(
    "CREATE TABLE base (d Date, a UInt64) ENGINE = MergeTree PARTITION BY d ORDER BY a",
  );
  await clickhouse.command(
    "CREATE MATERIALIZED VIEW doubled ENGINE = MergeTree ORDER BY a AS SELECT a * 2 AS a FROM base",
  );
  await clickhouse.command("INSERT INTO base SELECT toDate('2026-01-01') + number, number FROM numbers(3)");
  await clickhouse.command("ALTER TABLE base DROP PARTITION '2026-01-01'");
  await clickhouse.command("ALTER TABLE base DELETE WHERE a = 1 SETTINGS mutations_sync = 1");
  await clickhouse.command("OPTIMIZE TABLE base FINAL");
  assert.equal(
    await clickhouse.text("SELECT groupArray(a), (SELECT sum(a) FROM doubled) FROM base"),
    "[2]\t6\n",
  );
});

test("an unknown path is 404 and says so", async () => {
  const { status, text } = await ask(engine, { method: "GET", path: "/nowhere" });
  assert.deepEqual([status, text.startsWith("There is no handle /nowhere")], [404, true]);
});

test("a query id beyond what a header takes comes back percent-encoded", async () => {
  const search = { query_id: "日/1\r\n" };
  const answer = await ask(engine, { body: "SELECT 1", search });
  assert.deepEqual([answer.status, answer.headers["x-clickhouse-query-id"]], [200, "%E6%97%A5/1%0D%0A"]);
  assert.equal((await ask(engine, { body: "SELECT 1", search })).status, 200, "the id is free again");
});

test("a default format that is no word is refused", async () => {
  const answer = await ask(engine, { body: "SELECT 1", search: { default_format: "a\r\nb" } });
  assert.equal(answer.headers["x-clickhouse-exception-code"], "73");
});

test("reads without the password do not keep the owner waiting", async () => {
  const search = { query_id: "slow", log_comment: "slow" };
  const body = "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1";
  const slow = Array.from({ length: 12 }, (_, index) =>
    ask(engine, { body, search: { ...search, query_id: `slow-${index}` }, asOwner: false }),
  );
  const running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'slow'";
  await until("six reads", async () => (await clickhouse.text(running)) === "6\n");
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
  await ask(engine, { body: "KILL QUERY WHERE query_id LIKE 'slow-%' SYNC" });
  for (const answer of await Promise.all(slow)) assert.equal(answer.status, 500);
});
