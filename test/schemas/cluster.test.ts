import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { renderForCluster } from "../../src/schemas/cluster/render.js";
import { type Migration, printMigrations, readMigrations } from "../../src/schemas/files.js";
import { splitStatements } from "../../src/schemas/split.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { migratedDatabase, newDatabase, repositoryFile, type SampleRow, storeRows } from "./database.js";

const testEngine = await startTestEngine({ after });
const TARGET = {
  cluster: "prod",
  database: "coldpath",
  keeperPath: "/clickhouse/tables/{shard}",
  replica: "{replica}",
} as const;
const EXAMPLES = ["examples/own-table/schemas"];
const CREATE_A = "CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY x";

/** What the statements of one file become. */
async function rendered(t: TestContext, sql: string): Promise<string[]> {
  const builtInDir = await temporaryFolder(t);
  writeFileSync(join(builtInDir, "0001_x.sql"), sql);
  const [, file] = renderForCluster(readMigrations([], builtInDir), TARGET);
  return file!.statements.map(({ text }) => text);
}

/** A statement as the engine's own parser prints it. @throws ClickHouseError for one that it does not take */
async function parsed(sql: string): Promise<string> {
  const [row] = await testEngine.clickhouse.rows<{ text: string }>(
    `SELECT formatQuery(base64Decode('${Buffer.from(sql).toString("base64")}')) AS text`,
  );
  return row!.text;
}

function textsOf(migrations: readonly Migration[]): string[] {
  return migrations.flatMap(({ statements }) => statements.map(({ text }) => text));
}

test("the engine's parser takes every rendered statement of ours and of the example, and none that is damaged", async () => {
  const statements = textsOf(renderForCluster(readMigrations(EXAMPLES), TARGET));
  assert.equal(
    statements.length,
    2 + 10 * 2 + 5,
    "session, database, a pair for each table, the views, one twice",
  );
  for (const sql of statements) {
    await parsed(sql);
    const damaged = sql.includes("ON CLUSTER 'prod'")
      ? sql.replace("ON CLUSTER 'prod'", "ON CLUSTER prod prod")
      : `${sql} = 1`;
    await assert.rejects(parsed(damaged), { clickhouseCode: 62 }, damaged);
  }
});

test("without cluster, Keeper path and names of settings a rendered table is the one that stands in its file", async () => {
  const migrations = readMigrations(EXAMPLES);
  const tables = textsOf(migrations).filter((sql) => sql.startsWith("CREATE TABLE"));
  const replicated = textsOf(renderForCluster(migrations, TARGET)).filter((sql) =>
    sql.includes("Replicated"),
  );
  assert.equal(tables.length, replicated.length);
  for (const [index, sql] of tables.entries()) {
    const name = /EXISTS (\w+)/.exec(sql)![1]!;
    const path = `('/clickhouse/tables/{shard}/coldpath/${name}', '{replica}')`;
    const text = await parsed(replicated[index]!);
    assert.ok(text.includes(path), name);
    assert.ok(text.includes("CREATE TABLE IF NOT EXISTS coldpath."), name);
    const plain = text
      .replace(`coldpath.${name} ON CLUSTER prod`, name)
      .replace(`ReplicatedMergeTree${path}`, "MergeTree")
      .replace(", replicated_deduplication_window_seconds = 604800", "")
      .replace("replicated_deduplication_window", "non_replicated_deduplication_window");
    assert.equal(plain, await parsed(sql));
  }
});

test("engine arguments stay, an ALTER of columns reaches the table that reads all shards, DROP takes both", async (t) => {
  const sql = `
    CREATE TABLE IF NOT EXISTS "a" (x UInt8, v UInt8) ENGINE=ReplacingMergeTree(v) ORDER BY x; -- a comment; with one
    CREATE TABLE coldpath.b (x UInt8) ENGINE SummingMergeTree() ORDER BY x SETTINGS non_replicated_deduplication_window=5;
    ALTER TABLE a ADD COLUMN IF NOT EXISTS y String DEFAULT 'non_replicated_deduplication_window = 1' AFTER x;
    ALTER TABLE a MODIFY SETTING non_replicated_deduplication_window = 7;
    DROP TABLE IF EXISTS b`;
  const on = "ON CLUSTER 'prod'";
  const window = (blocks: number): string =>
    `replicated_deduplication_window${blocks === 5 ? "=" : " = "}${blocks}, replicated_deduplication_window_seconds = 604800`;
  const all = (name: string): string =>
    `coldpath.${name}_all ${on} AS coldpath.${name} ENGINE = Distributed('prod', 'coldpath', '${name}')`;
  const path = (name: string): string => `'/clickhouse/tables/{shard}/coldpath/${name}', '{replica}'`;
  const statements = await rendered(t, sql);
  assert.deepEqual(statements, [
    `CREATE TABLE IF NOT EXISTS coldpath.a ${on} (x UInt8, v UInt8) ENGINE=ReplicatedReplacingMergeTree(${path("a")}, v) ORDER BY x`,
    `CREATE TABLE IF NOT EXISTS ${all("a")}`,
    `CREATE TABLE coldpath.b ${on} (x UInt8) ENGINE ReplicatedSummingMergeTree(${path("b")}) ORDER BY x SETTINGS ${window(5)}`,
    `CREATE TABLE IF NOT EXISTS ${all("b")}`,
    `ALTER TABLE coldpath.a ${on} ADD COLUMN IF NOT EXISTS y String DEFAULT 'non_replicated_deduplication_window = 1' AFTER x`,
    `CREATE OR REPLACE TABLE ${all("a")}`,
    `ALTER TABLE coldpath.a ${on} MODIFY SETTING ${window(7)}`,
    `DROP TABLE IF EXISTS coldpath.b_all ${on} SYNC`,
    `DROP TABLE IF EXISTS coldpath.b ${on} SYNC`,
  ]);
  for (const each of statements) await parsed(each);
});

test("views read all shards under the tables' own names, materialized views their own shard", async (t) => {
  const tables =
    "CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY x; CREATE TABLE b (x UInt8) ENGINE = MergeTree ORDER BY x;";
  const views: readonly (readonly [given: string, wanted: string])[] = [
    ["SELECT a.x FROM a WHERE a.x > 0", "SELECT a.x FROM coldpath.a_all AS a WHERE a.x > 0"],
    ["SELECT x FROM a AS t FINAL", "SELECT x FROM coldpath.a_all AS t FINAL"],
    [
      "SELECT x FROM coldpath.a UNION ALL SELECT x FROM b t",
      "SELECT x FROM coldpath.a_all AS a UNION ALL SELECT x FROM coldpath.b_all t",
    ],
    [
      "SELECT 1 FROM a, b WHERE extract('FROM a' , 'a') = 'a' AND EXTRACT(YEAR FROM a.x) > 1",
      "SELECT 1 FROM (SELECT * FROM coldpath.a_all) AS a, (SELECT * FROM coldpath.b_all) AS b WHERE extract('FROM a' , 'a') = 'a' AND EXTRACT(YEAR FROM a.x) > 1",
    ],
    [
      "SELECT x FROM a LEFT JOIN b AS c USING x JOIN system.one ON 1",
      "SELECT x FROM (SELECT * FROM coldpath.a_all) AS a LEFT JOIN (SELECT * FROM coldpath.b_all) AS c USING x JOIN system.one ON 1",
    ],
    [
      "WITH c AS (SELECT x FROM a) SELECT x FROM c WHERE x IN b",
      "WITH c AS (SELECT x FROM (SELECT * FROM coldpath.a_all) AS a) SELECT x FROM c WHERE x IN (SELECT * FROM coldpath.b_all)",
    ],
    [
      "SELECT x FROM (SELECT x FROM a) ARRAY JOIN [1] AS b",
      "SELECT x FROM (SELECT x FROM coldpath.a_all AS a) ARRAY JOIN [1] AS b",
    ],
    [
      "SELECT x FROM (SELECT x FROM a), b",
      "SELECT x FROM (SELECT x FROM (SELECT * FROM coldpath.a_all) AS a), (SELECT * FROM coldpath.b_all) AS b",
    ],
    [
      "SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b)",
      "SELECT x FROM (SELECT * FROM coldpath.a_all) AS a WHERE EXISTS (SELECT 1 FROM (SELECT * FROM coldpath.b_all) AS b)",
    ],
    [
      "SELECT f(x, 1), x FROM a ARRAY JOIN [1] AS b, [2] AS c GROUP BY x, b",
      "SELECT f(x, 1), x FROM coldpath.a_all AS a ARRAY JOIN [1] AS b, [2] AS c GROUP BY x, b",
    ],
    ["SELECT x FROM other.a, numbers(3) AS b", "SELECT x FROM other.a, numbers(3) AS b"],
  ];
  for (const [given, wanted] of views) {
    const statements = await rendered(
      t,
      `${tables} CREATE VIEW v AS ${given}; CREATE VIEW w AS SELECT * FROM v`,
    );
    assert.deepEqual(statements.slice(4), [
      `CREATE VIEW coldpath.v ON CLUSTER 'prod' AS ${wanted}`,
      "CREATE VIEW coldpath.w ON CLUSTER 'prod' AS SELECT * FROM coldpath.v",
    ]);
    await parsed(statements[4]!);
  }
  const [, , , , fed] = await rendered(
    t,
    `${tables} CREATE MATERIALIZED VIEW IF NOT EXISTS m TO b AS SELECT x FROM a`,
  );
  assert.equal(
    fed,
    "CREATE MATERIALIZED VIEW IF NOT EXISTS coldpath.m ON CLUSTER 'prod' TO coldpath.b AS SELECT x FROM coldpath.a",
  );
  await parsed(fed);
});

test("what cannot run on every node is refused with file, line and reason", async (t) => {
  for (const [sql, reason] of [
    ["INSERT INTO a VALUES (1)", /INSERT would store its rows in one shard/],
    ["OPTIMIZE TABLE a", /OPTIMIZE … is none of the statements/],
    ["CREATE TABLE l (x UInt8) ENGINE = Log", /its engine is Log/],
    [
      "CREATE TABLE l (x UInt8) ENGINE = ReplicatedSummingMergeTree('/p', 'r') ORDER BY x",
      /write SummingMergeTree/,
    ],
    ["CREATE TABLE l ENGINE = MergeTree ORDER BY x AS SELECT 1 AS x", /CREATE TABLE … AS/],
    ["CREATE TABLE l (x UInt8) ORDER BY x", /no ENGINE/],
    ["CREATE TABLE l ON CLUSTER c (x UInt8) ENGINE = MergeTree ORDER BY x", /ON CLUSTER of its own/],
    ["CREATE TABLE other.l (x UInt8) ENGINE = MergeTree ORDER BY x", /database other/],
    ["CREATE TABLE a_all (x UInt8) ENGINE = MergeTree ORDER BY x", /a_all is the name under which a is read/],
    ["CREATE VIEW v AS WITH a AS (SELECT 1 AS x) SELECT * FROM a", /a WITH of it has the name of table a/],
    ["CREATE VIEW v AS SELECT * FROM a FINAL JOIN system.one ON 1", /FINAL of a table that is joined/],
    ["CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY x AS SELECT x FROM a", /hidden table/],
    ["CREATE MATERIALIZED VIEW m TO b POPULATE AS SELECT x FROM a", /once on each replica/],
    ["CREATE MATERIALIZED VIEW m REFRESH EVERY 1 DAY TO b AS SELECT x FROM a", /once on each replica/],
    ["ALTER TABLE v MODIFY QUERY SELECT 1", /create the view anew/],
    ["DROP TABLE a, b", /DROP of one name/],
    ["CREATE TABLE `{x}` (x UInt8) ENGINE = MergeTree ORDER BY x", /a Keeper path cannot hold/],
  ] as const) {
    await assert.rejects(rendered(t, `${CREATE_A};\n${sql}`), (error: Error) => {
      assert.match(error.message, /^0001_x\.sql, line 2: not for a cluster: /);
      assert.match(error.message, reason);
      return true;
    });
  }
});

test("the same files give the same text, which comes apart into the same statements", () => {
  const render = (): Migration[] => renderForCluster(readMigrations(EXAMPLES), TARGET);
  const text = printMigrations(render());
  assert.equal(printMigrations(render()), text);
  assert.deepEqual(
    splitStatements(text).map((each) => each.text),
    textsOf(render()),
  );
});

test("the guide shows what is printed", () => {
  const printed = printMigrations(renderForCluster(readMigrations(EXAMPLES), TARGET).slice(-1));
  assert.ok(repositoryFile("docs", "guides", "cluster.md").includes(`\`\`\`sql\n${printed}\`\`\`\n`));
});

test("rendered views answer over two shards what plain ones answer over one", async (t) => {
  const at = "2026-01-05 09:30:0";
  const fill = (fill_id: string, second: number, more: SampleRow = {}): SampleRow => ({
    table: "fills",
    ts_exchange: `${at}${second}`,
    fill_id,
    symbol: "X",
    side: "buy",
    fill_qty: 1,
    fill_px: 10,
    venue: "v",
    ...more,
  });
  const order = (seq: number, status: string): SampleRow => ({
    table: "orders",
    ts: `${at}${seq}`,
    seq,
    client_order_id: "o",
    strategy: "s",
    symbol: "X",
    side: "buy",
    qty: 1,
    status,
  });
  const rows: readonly SampleRow[] = [
    fill("f1", 0, { seq: 1 }),
    fill("c1", 1, { seq: 2, exec_type: "correct", corrects_fill_id: "f1", fill_px: 11 }),
    fill("f2", 2, { seq: 3 }),
    fill("b2", 3, { seq: 4, exec_type: "bust", corrects_fill_id: "f2" }),
    order(1, "new"),
    order(2, "filled"),
    {
      table: "system_events",
      ts: `${at}0`,
      kind: "data_gap",
      attributes: { table: "market_data", reason: "drop" },
    },
  ];
  const whole = await migratedDatabase(t, testEngine);
  await storeRows(whole, rows);
  const shards = [await migratedDatabase(t, testEngine), await migratedDatabase(t, testEngine)];
  for (const [index, row] of rows.entries()) await storeRows(shards[index % 2]!, [{ seq: index, ...row }]);
  const reader = newDatabase(t, testEngine);
  const { database } = reader.options;
  await reader.command(`CREATE DATABASE ${database}`, { settings: { database: "system" } });
  const both = shards.map(({ options }) => options.database).join("|");
  for (const sql of textsOf(renderForCluster(readMigrations(), { ...TARGET, database }))) {
    // One engine has no shards: two databases stand for them, read together by a Merge table.
    const table = /^CREATE TABLE IF NOT EXISTS (\w+\.(\w+)_all) /.exec(sql);
    if (table !== null) {
      const [, name, local] = table;
      await reader.command(
        `CREATE TABLE ${name} AS ${shards[0]!.options.database}.${local} ENGINE = Merge(REGEXP('^(${both})$'), '^${local}$')`,
      );
    } else if (sql.includes("VIEW")) await reader.command(sql.replace(" ON CLUSTER 'prod'", ""));
  }
  for (const [view, count] of [
    ["fills_net", 1],
    ["orders_latest", 1],
    ["market_data_gaps", 1],
  ] as const) {
    const answer = await whole.rows(`SELECT * FROM ${view} ORDER BY ALL`);
    assert.equal(answer.length, count, view);
    assert.deepEqual(await reader.rows(`SELECT * FROM ${view} ORDER BY ALL`), answer);
  }
});
