import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { checkTables, SchemaMismatchError } from "../../src/schemas/compare.js";
import { startTestEngine } from "../support/engine.js";
import { migratedDatabase } from "./database.js";

const testEngine = await startTestEngine({ after });

/** How the tables differ from what is expected after the statements have changed freshly migrated ones. */
async function differencesAfter(t: TestContext, ...statements: string[]) {
  const clickhouse = await migratedDatabase(t, testEngine);
  for (const statement of statements) await clickhouse.command(statement);
  return { clickhouse, error: await mismatch(clickhouse) };
}

async function mismatch(clickhouse: ClickHouse): Promise<SchemaMismatchError> {
  const error = await checkTables(clickhouse).then(
    () => assert.fail("no difference was found"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SchemaMismatchError, String(error));
  assert.equal(error.code, "SCHEMA_MISMATCH");
  return error;
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

test("a missing, another and a required column name table, column, both types, and SQL that puts it right", async (t) => {
  const { clickhouse, error } = await differencesAfter(
    t,
    "ALTER TABLE orders DROP COLUMN tif",
    "ALTER TABLE market_data DROP COLUMN ts_exchange_src",
    "ALTER TABLE market_data MODIFY COLUMN skipped DEFAULT 1",
    "ALTER TABLE fills MODIFY COLUMN fees Nullable(Float64)",
    "ALTER TABLE fills MODIFY COLUMN exec_type REMOVE DEFAULT",
    "ALTER TABLE risk_decisions DROP COLUMN limits",
    "ALTER TABLE system_events MODIFY COLUMN ts_ingest DEFAULT '2020-01-01 00:00:00'",
  );
  const set = "Enum8('new' = 1, 'bust' = 2, 'correct' = 3)";
  const again = "run coldpath migrate; if that has nothing to apply, ALTER TABLE";
  assert.deepEqual(error.message.split("; column "), [
    `column ts_exchange_src of market_data (Enum8('venue' = 1, 'local' = 2) DEFAULT 'venue') is missing: ${again} market_data ADD COLUMN ts_exchange_src Enum8('venue' = 1, 'local' = 2) DEFAULT 'venue'`,
    "skipped of market_data is UInt32 DEFAULT 1, expected UInt32 DEFAULT 0: ALTER TABLE market_data MODIFY COLUMN skipped UInt32 DEFAULT 0",
    `tif of orders (LowCardinality(Nullable(String))) is missing: ${again} orders ADD COLUMN tif LowCardinality(Nullable(String))`,
    `exec_type of fills is ${set}, expected ${set} DEFAULT 'new': ALTER TABLE fills MODIFY COLUMN exec_type ${set} DEFAULT 'new'`,
    "fees of fills is Nullable(Float64), expected Nullable(Decimal(38, 8)): ALTER TABLE fills MODIFY COLUMN fees Nullable(Decimal(38, 8))",
    `limits of risk_decisions (Map(LowCardinality(String), Decimal(38, 8)) DEFAULT map()) is missing: ${again} risk_decisions ADD COLUMN limits Map(LowCardinality(String), Decimal(38, 8)) DEFAULT map()`,
    "ts_ingest of system_events is DateTime64(9, 'UTC') DEFAULT '2020-01-01 00:00:00', expected DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'): ALTER TABLE system_events MODIFY COLUMN ts_ingest DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC')",
  ]);
  for (const { wayOut } of error.differences) await clickhouse.command(/ALTER TABLE.*/.exec(wayOut)![0]);
  await checkTables(clickhouse);
});

test("a column of the user's own is fine unless every row would need it", async (t) => {
  const { clickhouse, error } = await differencesAfter(
    t,
    "ALTER TABLE orders ADD COLUMN desk LowCardinality(String) DEFAULT 'x'",
    "ALTER TABLE orders ADD COLUMN book Nullable(String)",
    "ALTER TABLE orders ADD COLUMN floor String",
  );
  assert.equal(
    error.message,
    "column floor of orders (String) is required and not known: rows without it would be refused: make it Nullable or give it a DEFAULT",
  );
  await clickhouse.command("ALTER TABLE orders MODIFY COLUMN floor Nullable(String)");
  await checkTables(clickhouse);
});

test("missing and unfit tables are all told at once", async (t) => {
  const { error } = await differencesAfter(
    t,
    "DROP TABLE account_state",
    "RENAME TABLE positions_intraday TO positions_kept",
    "CREATE VIEW positions_intraday AS SELECT * FROM positions_kept",
    "ALTER TABLE recorder_runs DROP INDEX source",
    "ALTER TABLE recorder_runs DROP COLUMN source",
  );
  assert.deepEqual(error.message.split("; table "), [
    "table positions_intraday is unfit: its engine is View, not one of MergeTree, ReplicatedMergeTree, SharedMergeTree: rename it and run its statement again, which coldpath migrate --print shows",
    "account_state is missing: run coldpath migrate; if that has nothing to apply, run its statement again, which coldpath migrate --print shows",
    "recorder_runs is unfit: it lacks the column source; env, recorder, run, seq, source, source_seq tell rows apart: rename it and run its statement again, which coldpath migrate --print shows",
  ]);
});
