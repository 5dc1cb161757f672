import { ColdpathError } from "../base/errors.js";
import type { FileId, Migration } from "./files.js";
import type { MigrationRecord } from "./records.js";

/** What is left to do of one file. */
interface PendingMigration {
  readonly migration: Migration;
  /** Statements that already ran, in an attempt that did not come to its end. */
  readonly done: number;
}

export interface Plan {
  readonly pending: readonly PendingMigration[];
  /** Files that the database has and this version of coldpath, or the configured folders, do not. */
  readonly unknown: readonly FileId[];
}

/**
 * Compares the files with what the database remembers.
 * @throws ColdpathError MIGRATION_CHANGED if an applied file has another text now; SCHEMA_MISMATCH if a newer version
 * made a change that this one cannot write to.
 */
export function planMigrations(migrations: readonly Migration[], records: readonly MigrationRecord[]): Plan {
  const pending: PendingMigration[] = [];
  for (const migration of migrations) {
    if (migration.statements.length === 0) continue;
    const own = records.filter((record) => isOf(record, migration));
    const applied = own.find((record) => record.done >= record.statements);
    if (applied === undefined) {
      // A file that failed half-way may be mended: it starts over, because each of its statements may run twice.
      const begun = own.find((record) => record.checksum === migration.checksum);
      pending.push({ migration, done: begun?.done ?? 0 });
    } else if (applied.checksum !== migration.checksum) {
      throw new ColdpathError(
        "MIGRATION_CHANGED",
        `${migration.name} was applied with another text (SHA-256 ${short(applied.checksum)}, now ${short(migration.checksum)}): ` +
          "restore the file and put the change into a new one",
      );
    }
  }
  return { pending, unknown: unknownFiles(migrations, records) };
}

function unknownFiles(migrations: readonly Migration[], records: readonly MigrationRecord[]): FileId[] {
  const unknown = records.filter((record) => !migrations.some((migration) => isOf(record, migration)));
  const newer = unknown.find((record) => record.breaking && record.done >= record.statements);
  if (newer !== undefined) {
    throw new ColdpathError(
      "SCHEMA_MISMATCH",
      `the database has ${newer.name}, which older versions must not write to, and this version does not know it: upgrade coldpath`,
    );
  }
  // A file has a record for each text that was tried.
  const ids = new Map(unknown.map(({ origin, name }) => [`${origin} ${name}`, { origin, name }]));
  return [...ids.values()];
}

function isOf(record: MigrationRecord, migration: Migration): boolean {
  return record.origin === migration.origin && record.name === migration.name;
}

function short(checksum: string): string {
  return checksum.slice(0, 12);
}
