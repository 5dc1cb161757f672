import { ColdpathError, messageOf } from "../base/errors.js";
import { HOUR_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { quoteName } from "../clickhouse/quote.js";
import { type FileId, type Migration, readMigrations } from "./files.js";
import { type LockOptions, withMigrationLock } from "./lock.js";
import { type Plan, planMigrations } from "./plan.js";
import { createRecords, readRecords, writeRecord } from "./records.js";

export interface MigrateOptions {
  /** Folders with users' own SQL files, applied after the built-in ones. */
  readonly userDirs?: readonly string[];
  /** Folder of the built-in files, for tests. */
  readonly builtInDir?: string;
  /** Changes nothing and tells what would be applied. */
  readonly dryRun?: boolean;
  /** Told before and after each statement. */
  readonly onProgress?: (progress: MigrationProgress) => void;
  readonly lock?: LockOptions;
}

/** One statement of one file begins or has ended. */
export interface MigrationProgress {
  readonly name: string;
  /** Place of the statement in its file, from 1. */
  readonly statement: number;
  readonly statements: number;
  readonly state: "begins" | "done";
}

export interface MigrateResult {
  /** Files applied now, in order; in a dry run those that would be. */
  readonly applied: readonly FileId[];
  /** Files the database has and this version, or the configured folders, do not: an older binary, or a file removed. */
  readonly unknown: readonly FileId[];
}

/** A statement may rewrite a large table; whether it ended is not known of a request that was given up. */
const STATEMENT_TIMEOUT_MS: number = 24 * HOUR_MS;
/** A statement has ended when its effect is there, on other replicas too. */
const STATEMENT_SETTINGS = { alter_sync: 2, mutations_sync: 2 } as const;
/** READONLY and ACCESS_DENIED. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([164, 497]);

/**
 * Brings the database of `clickhouse` to the state that the SQL files describe, and creates it if it is absent. May be
 * run by any number of processes at once, killed at any point and run again. Compare the result with what the recorder
 * expects afterwards: `checkTables`.
 * @throws ColdpathError MIGRATION_CHANGED, MIGRATION_LOCKED, MIGRATION_FAILED, SCHEMA_MISMATCH, CONFIG_INVALID
 */
export async function migrate(clickhouse: ClickHouse, options: MigrateOptions = {}): Promise<MigrateResult> {
  const migrations = readMigrations(options.userDirs, options.builtInDir);
  const exists = await databaseExists(clickhouse);
  if (options.dryRun === true) {
    return resultOf(planMigrations(migrations, exists ? await readRecords(clickhouse) : []));
  }
  if (!exists) await createDatabase(clickhouse);
  const plan = planMigrations(migrations, await readRecords(clickhouse));
  if (plan.pending.length === 0) return resultOf(plan);
  return await withMigrationLock(clickhouse, options.lock ?? {}, async (stillHeld) => {
    await createRecords(clickhouse);
    // Another process may have applied some of them while this one waited for the lock.
    const current = planMigrations(migrations, await readRecords(clickhouse));
    for (const { migration, done } of current.pending) {
      await apply(clickhouse, migration, done, stillHeld, options.onProgress);
    }
    return resultOf(current);
  });
}

function resultOf(plan: Plan): MigrateResult {
  const applied = plan.pending.map(({ migration: { origin, name } }) => ({ origin, name }));
  return { applied, unknown: plan.unknown };
}

async function apply(
  clickhouse: ClickHouse,
  migration: Migration,
  done: number,
  stillHeld: () => Promise<void>,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<void> {
  const { name, statements } = migration;
  for (const [index, { text, line }] of statements.entries()) {
    if (index < done) continue;
    const place = { name, statement: index + 1, statements: statements.length };
    await stillHeld();
    onProgress({ ...place, state: "begins" });
    try {
      await clickhouse.command(text, { timeoutMs: STATEMENT_TIMEOUT_MS, settings: STATEMENT_SETTINGS });
    } catch (cause) {
      throw new ColdpathError("MIGRATION_FAILED", `${name}, line ${line}: ${messageOf(cause)}`, { cause });
    }
    await writeRecord(clickhouse, migration, index + 1);
    onProgress({ ...place, state: "done" });
  }
}

/** Asked in `system`, because a request that names an absent database is refused. */
async function databaseExists(clickhouse: ClickHouse): Promise<boolean> {
  const { database } = clickhouse.options;
  const rows = await clickhouse.rows("SELECT 1 FROM system.databases WHERE name = {name:String}", {
    params: { name: database },
    settings: { database: "system" },
  });
  return rows.length > 0;
}

async function createDatabase(clickhouse: ClickHouse): Promise<void> {
  const { database, user } = clickhouse.options;
  const statement = `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`;
  try {
    await clickhouse.command(statement, { settings: { database: "system" } });
  } catch (cause) {
    if (!(cause instanceof ClickHouseError && NOT_ALLOWED.has(cause.clickhouseCode))) throw cause;
    throw new ColdpathError(
      "MIGRATION_FAILED",
      `database ${database} does not exist, or user ${user} may not see it, and may not create it: ` +
        `run ${statement} as one who may (${cause.message})`,
      { cause },
    );
  }
}
