import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { checkTables, SchemaMismatchError } from "../../src/schemas/compare.js";
import { startTestEngine } from "../support/engine.js";
import { migratedDatabase } from "./database.js";

const testEngine = await startTestEngine({ after });

/** The error lines after the statements have changed the freshly migrated tables. */
async function differencesAfter(t: TestContext, ...statements: string[]): Promise<string[]> {
  const clickhouse = await migratedDatabase(t, testEngine);
  for (const statement of statements) await clickhouse.command(statement);
  return await differencesOf(clickhouse);
}

async function differencesOf(clickhouse: ClickHouse): Promise<string[]> {
  try {
    await checkTables(clickhouse);
    return [];
  } catch (error) {
    assert.ok(error instanceof SchemaMismatchError, String(error));
    assert.equal(error.code, "SCHEMA_MISMATCH");
    return error.message.split("; column ").flatMap((each) => each.split("; table "));
  }
}

test("freshly migrated tables are as expected, and are handed out", async (t) => {
  const clickhouse = await migratedDatabase(t, testEngine);
  assert.deepEqual(
    (await checkTables(clickhouse)).map(({ name }) => name),
    [
      "account_state",
      "fills",
      "guardrail_transitions",
      "market_data",
      "orders",
      "positions_intraday",
      "recorder_runs",
      "risk_decisions",
      "system_events",
    ],
  );
});

test("a missing column names the table, the column, its type and the migration", async (t) => {
  assert.deepEqual(await differencesAfter(t, "ALTER TABLE orders DROP COLUMN tif"), [
    "column tif of orders (LowCardinality(Nullable(String))) is missing: run coldpath migrate",
  ]);
});

test("another type names both types and a way back", async (t) => {
  const [line, ...others] = await differencesAfter(
    t,
    "ALTER TABLE fills MODIFY COLUMN fees Nullable(Float64)",
  );
  assert.deepEqual(others, []);
  assert.match(
    line!,
    /^column fees of fills is Nullable\(Float64\), expected Nullable\(Decimal\(38, 8\)\): ALTER TABLE fills MODIFY COLUMN fees Nullable\(Decimal\(38, 8\)\)/,
  );
});

test("a column that became required, or got another default, is told with both", async (t) => {
  assert.deepEqual(
    await differencesAfter(
      t,
      "ALTER TABLE fills MODIFY COLUMN exec_type REMOVE DEFAULT",
      "ALTER TABLE market_data MODIFY COLUMN skipped DEFAULT 1",
    ),
    [
      "column skipped of market_data is UInt32 DEFAULT '1', expected UInt32 DEFAULT '0': give it the DEFAULT it has in schemas/",
      "exec_type of fills is Enum8('new' = 1, 'bust' = 2, 'correct' = 3) without DEFAULT, expected Enum8('new' = 1, 'bust' = 2, 'correct' = 3) DEFAULT 'new': give it the DEFAULT it has in schemas/",
    ],
  );
});

test("columns of the user's own are fine unless every row would need them", async (t) => {
  assert.deepEqual(
    await differencesAfter(
      t,
      "ALTER TABLE orders ADD COLUMN desk LowCardinality(String) DEFAULT 'x'",
      "ALTER TABLE orders ADD COLUMN book Nullable(String)",
    ),
    [],
  );
  assert.deepEqual(await differencesAfter(t, "ALTER TABLE orders ADD COLUMN desk String"), [
    "column desk of orders (String) is required and not known: rows without it would be refused: make it Nullable or give it a DEFAULT",
  ]);
});

test("missing and unfit tables are all told at once", async (t) => {
  assert.deepEqual(
    await differencesAfter(
      t,
      "DROP TABLE account_state",
      "RENAME TABLE positions_intraday TO positions_kept",
      "CREATE VIEW positions_intraday AS SELECT * FROM positions_kept",
    ),
    [
      "table positions_intraday is unfit: its engine is View, not one of MergeTree, ReplicatedMergeTree, SharedMergeTree: rename it and run coldpath migrate",
      "account_state is missing: run coldpath migrate",
    ],
  );
});
