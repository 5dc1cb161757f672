import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { BUILT_IN_DIR, printMigrations, readMigrations } from "../../src/schemas/files.js";
import { type MigrationProgress, migrate } from "../../src/schemas/migrate.js";
import { splitStatements } from "../../src/schemas/split.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { newDatabase } from "./database.js";

const testEngine = await startTestEngine({ after });

/** A folder with the given SQL files. */
async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A database migrated with only the given files in place of the built-in ones. */
async function small(t: TestContext, files: Readonly<Record<string, string>>) {
  const builtInDir = await folderOf(t, files);
  return { clickhouse: newDatabase(t, testEngine), builtInDir };
}

async function tablesOf(clickhouse: ClickHouse): Promise<string[]> {
  const rows = await clickhouse.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = {database:String} AND NOT startsWith(name, 'schema_') ORDER BY name",
    { params: { database: clickhouse.options.database }, settings: { database: "system" } },
  );
  return rows.map(({ name }) => name);
}

const CREATE_A = "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = MergeTree ORDER BY x";
const CREATE_B = "CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = MergeTree ORDER BY x";

test("a first run creates the database with all tables and views, a second does nothing", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const first = await migrate(clickhouse);
  assert.deepEqual(
    first.applied,
    readMigrations().map(({ origin, name }) => ({ origin, name })),
  );
  assert.deepEqual(await tablesOf(clickhouse), [
    "account_state",
    "fills",
    "fills_net",
    "guardrail_transitions",
    "market_data",
    "market_data_gaps",
    "orders",
    "orders_latest",
    "positions_intraday",
    "positions_latest",
    "recorder_runs",
    "risk_decisions",
    "system_events",
  ]);
  assert.deepEqual(await migrate(clickhouse), { applied: [], unknown: [] });
});

test("every built-in statement may run twice", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  await migrate(clickhouse);
  for (const { text } of readMigrations().flatMap(({ statements }) => statements))
    await clickhouse.command(text);
});

test("a dry run tells what would be applied and changes nothing", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const { applied } = await migrate(clickhouse, { dryRun: true });
  assert.equal(applied.length, readMigrations().length);
  const [found] = await clickhouse.rows<{ n: number }>(
    "SELECT toUInt8(count()) AS n FROM system.databases WHERE name = {name:String}",
    { params: { name: clickhouse.options.database }, settings: { database: "system" } },
  );
  assert.equal(found!.n, 0);
});

test("an applied file that was altered is refused by name, and nothing else runs", async (t) => {
  const { clickhouse, builtInDir } = await small(t, { "0001_a.sql": CREATE_A });
  await migrate(clickhouse, { builtInDir });
  writeFileSync(join(builtInDir, "0001_a.sql"), `${CREATE_A} -- altered`);
  writeFileSync(join(builtInDir, "0002_b.sql"), CREATE_B);
  await assert.rejects(migrate(clickhouse, { builtInDir }), {
    code: "MIGRATION_CHANGED",
    message: /^0001_a\.sql /,
  });
  await assert.rejects(migrate(clickhouse, { builtInDir, dryRun: true }), { code: "MIGRATION_CHANGED" });
  assert.deepEqual(await tablesOf(clickhouse), ["a"]);
});

test("line ends of another checkout do not make a file altered", async (t) => {
  const { clickhouse, builtInDir } = await small(t, { "0001_a.sql": `-- one\n${CREATE_A};\n` });
  await migrate(clickhouse, { builtInDir });
  writeFileSync(join(builtInDir, "0001_a.sql"), `-- one\r\n${CREATE_A};\r\n`);
  assert.deepEqual((await migrate(clickhouse, { builtInDir })).applied, []);
});

test("a refused statement names file and line; the mended file starts over and goes to its end", async (t) => {
  const { clickhouse, builtInDir } = await small(t, {
    "0001_ab.sql": `${CREATE_A};\n\nCREATE TABLE b (x NoSuchType) ENGINE = MergeTree ORDER BY x;`,
    "0002_c.sql": "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = MergeTree ORDER BY x",
  });
  await assert.rejects(migrate(clickhouse, { builtInDir }), {
    code: "MIGRATION_FAILED",
    message: /^0001_ab\.sql, line 3: .*NoSuchType/s,
  });
  assert.deepEqual(await tablesOf(clickhouse), ["a"]);
  writeFileSync(join(builtInDir, "0001_ab.sql"), `${CREATE_A};\n\n${CREATE_B};`);
  const steps: string[] = [];
  const onProgress = ({ name, statement, state }: MigrationProgress): number =>
    steps.push(`${name} ${statement} ${state}`);
  await migrate(clickhouse, { builtInDir, onProgress });
  assert.deepEqual(await tablesOf(clickhouse), ["a", "b", "c"]);
  assert.deepEqual(steps, [
    "0001_ab.sql 1 begins",
    "0001_ab.sql 1 done",
    "0001_ab.sql 2 begins",
    "0001_ab.sql 2 done",
    "0002_c.sql 1 begins",
    "0002_c.sql 1 done",
  ]);
});

test("a file that failed half-way goes on after the statements that ran", async (t) => {
  const { clickhouse, builtInDir } = await small(t, {
    "0001_ab.sql": `${CREATE_A}; INSERT INTO later SELECT 1`,
  });
  await assert.rejects(migrate(clickhouse, { builtInDir }), { code: "MIGRATION_FAILED" });
  await clickhouse.command("CREATE TABLE later (x UInt8) ENGINE = MergeTree ORDER BY x");
  const begun: number[] = [];
  await migrate(clickhouse, {
    builtInDir,
    onProgress: ({ statement, state }) => state === "begins" && begun.push(statement),
  });
  assert.deepEqual(begun, [2]);
});

test("users' files are applied after ours under their own names, even a name that ours has too", async (t) => {
  const { clickhouse, builtInDir } = await small(t, { "0002_a.sql": CREATE_A });
  const mine = await folderOf(t, {
    "0001_b.sql": CREATE_B,
    "0002_a.sql": "INSERT INTO a VALUES (1), (2);\n",
    "notes.txt": "no SQL",
  });
  const { applied } = await migrate(clickhouse, { builtInDir, userDirs: [mine] });
  assert.deepEqual(applied, [
    { origin: "coldpath", name: "0002_a.sql" },
    { origin: "user", name: "0001_b.sql" },
    { origin: "user", name: "0002_a.sql" },
  ]);
  assert.deepEqual((await migrate(clickhouse, { builtInDir, userDirs: [mine] })).applied, []);
  assert.equal(await clickhouse.text("SELECT sum(x) FROM a FORMAT TSV"), "3\n");
});

test("two folders with a file of one name, and a folder that is not there, are refused before anything runs", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const [one, two] = [
    await folderOf(t, { "0001_x.sql": "SELECT 1" }),
    await folderOf(t, { "0001_x.sql": "SELECT 2" }),
  ];
  await assert.rejects(migrate(clickhouse, { userDirs: [one, two] }), {
    code: "CONFIG_INVALID",
    message: /0001_x\.sql/,
  });
  const nowhere = join(one, "nowhere");
  await assert.rejects(migrate(clickhouse, { userDirs: [nowhere] }), {
    code: "CONFIG_INVALID",
    message: /nowhere/,
  });
  assert.deepEqual(await tablesOf(clickhouse), []);
});

test("a file the database has and this version does not is told; one marked breaking is refused", async (t) => {
  const { clickhouse, builtInDir } = await small(t, {
    "0001_a.sql": CREATE_A,
    "0002_new.sql": "SELECT 2",
  });
  await migrate(clickhouse, { builtInDir });
  rmSync(join(builtInDir, "0002_new.sql"));
  assert.deepEqual(await migrate(clickhouse, { builtInDir }), {
    applied: [],
    unknown: [{ origin: "coldpath", name: "0002_new.sql" }],
  });
  writeFileSync(
    join(builtInDir, "0003_broken.sql"),
    "-- breaking: rows look different from here on\nSELECT 3",
  );
  await migrate(clickhouse, { builtInDir });
  rmSync(join(builtInDir, "0003_broken.sql"));
  await assert.rejects(migrate(clickhouse, { builtInDir }), {
    code: "SCHEMA_MISMATCH",
    message: /0003_broken\.sql.*upgrade/,
  });
});

test("the printed statements are those of the files and come apart again", async (t) => {
  const migrations = readMigrations();
  const statements = migrations.flatMap((migration) => migration.statements.map(({ text }) => text));
  assert.deepEqual(
    splitStatements(printMigrations(migrations)).map(({ text }) => text),
    statements,
  );
  const clickhouse = newDatabase(t, testEngine);
  await migrate(clickhouse, {
    builtInDir: await folderOf(t, { "0001_all.sql": printMigrations(migrations) }),
  });
  assert.equal((await tablesOf(clickhouse)).length, 13);
});

test("adding a column is one new file; the rows from before have its default", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const builtInDir = await temporaryFolder(t);
  cpSync(BUILT_IN_DIR, builtInDir, { recursive: true });
  await migrate(clickhouse, { builtInDir });
  await clickhouse.command(
    "INSERT INTO account_state (ts, account_id, env, recorder, run, seq) SELECT now(), 'A', 'prod', 'r', 1, 0",
  );
  writeFileSync(
    join(builtInDir, "9999_leverage.sql"),
    "ALTER TABLE account_state ADD COLUMN IF NOT EXISTS leverage Nullable(Decimal(18, 8)) COMMENT 'Leverage [1]' AFTER day_pnl",
  );
  assert.deepEqual((await migrate(clickhouse, { builtInDir })).applied, [
    { origin: "coldpath", name: "9999_leverage.sql" },
  ]);
  assert.equal(await clickhouse.text("SELECT leverage FROM account_state FORMAT TSV"), "\\N\n");
});

test("a user who may not create the database is told what to do", async (t) => {
  const reader = newDatabase(t, testEngine, { user: "default", password: "" });
  await assert.rejects(migrate(reader), {
    code: "MIGRATION_FAILED",
    message: /may not create it: run CREATE DATABASE/,
  });
});
