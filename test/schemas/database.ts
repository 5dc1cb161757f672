import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { migrate } from "../../src/schemas/migrate.js";
import type { TestEngine } from "../support/engine.js";

interface Context {
  readonly after: (fn: () => Promise<void> | void) => void;
}

let databases = 0;

/** A connection to a database of its own that does not exist yet, as the owner or as `user`. */
export function newDatabase(
  t: Context,
  { engine }: TestEngine,
  as: { readonly user: string; readonly password: string } = engine,
): ClickHouse {
  databases += 1;
  const { user, password } = as;
  const clickhouse = new ClickHouse({ url: engine.url, user, password, database: `schemas_${databases}` });
  t.after(() => clickhouse.close());
  return clickhouse;
}

/** A connection to a database of its own with all tables and views. */
export async function migratedDatabase(t: Context, testEngine: TestEngine): Promise<ClickHouse> {
  const clickhouse = newDatabase(t, testEngine);
  await migrate(clickhouse);
  return clickhouse;
}

export type SampleRow = Readonly<Record<string, unknown>>;

/**
 * Stores rows as they are given, each with `table` and what else its columns are; who recorded them is added where a row
 * does not say it, `seq` counting up within each table.
 */
export async function storeRows(clickhouse: ClickHouse, rows: readonly SampleRow[]): Promise<void> {
  const tables = new Map<string, SampleRow[]>();
  for (const { table, ...row } of rows) {
    const stored = tables.get(String(table)) ?? [];
    tables.set(String(table), stored);
    stored.push({ env: "prod", recorder: "desk-1", run: 1, seq: stored.length, ...row });
  }
  for (const [table, stored] of tables) {
    await clickhouse.insert({
      sql: `INSERT INTO ${table} FORMAT JSONEachRow`,
      body: Buffer.from(stored.map((row) => JSON.stringify(row)).join("\n")),
      settings: { async_insert: 0, input_format_skip_unknown_fields: 0, input_format_null_as_default: 0 },
    });
  }
}

/** A text file of the repository; tests run from its root. */
export function repositoryFile(...path: string[]): string {
  return readFileSync(join(...path), "utf8");
}
