import type { ClickHouse } from "../clickhouse/client.js";
import type { Migration, Origin } from "./files.js";

/** Where the runner notes what it has applied. One row per statement that ran: a crash in the middle of a file is seen. */
export const RECORDS_TABLE = "schema_migrations";

const CREATE_RECORDS = `CREATE TABLE IF NOT EXISTS ${RECORDS_TABLE}
(
    origin     LowCardinality(String) COMMENT 'Whose file: coldpath or user [name]',
    name       String COMMENT 'File name [name]',
    checksum   String COMMENT 'SHA-256 of the file, in hexadecimal [id]',
    breaking   Bool COMMENT 'Whether versions that do not know the file must not write [set]',
    statements UInt32 COMMENT 'Statements in the file [statements]',
    done       UInt32 COMMENT 'Statements run so far; the file is applied when all are [statements]',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'Time the last of them ended [ms, UTC]'
)
ENGINE = MergeTree
ORDER BY (origin, name, done)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'SQL files applied to this database, written by coldpath migrate'`;

/** A file as the database remembers it. */
export interface MigrationRecord {
  readonly origin: Origin;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
  readonly statements: number;
  /** Statements of exactly this text that ran. */
  readonly done: number;
}

export async function createRecords(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command(CREATE_RECORDS);
}

/** What the database remembers, one record per file and text; empty if it has no records yet. */
export async function readRecords(clickhouse: ClickHouse): Promise<MigrationRecord[]> {
  const [exists] = await clickhouse.rows(
    `SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = '${RECORDS_TABLE}'`,
  );
  if (exists === undefined) return [];
  return await clickhouse.rows<MigrationRecord>(
    `SELECT origin, name, checksum, breaking, statements, toUInt32(max(schema_migrations.done)) AS done
     FROM ${RECORDS_TABLE}
     GROUP BY origin, name, checksum, breaking, statements
     ORDER BY origin, name, max(applied_at)`,
  );
}

/** Notes that the first `done` statements of the file have run. */
export async function writeRecord(clickhouse: ClickHouse, migration: Migration, done: number): Promise<void> {
  const { origin, name, checksum, breaking, statements } = migration;
  const row = { origin, name, checksum, breaking, statements: statements.length, done };
  await clickhouse.insert({
    sql: `INSERT INTO ${RECORDS_TABLE} (origin, name, checksum, breaking, statements, done) FORMAT JSONEachRow`,
    body: Buffer.from(JSON.stringify(row)),
    settings: { async_insert: 0 },
  });
}
