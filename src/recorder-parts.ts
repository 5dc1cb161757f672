import { randomBytes } from "node:crypto";
import type { Identity } from "./buffer/stamp.js";
import type { ServerLife, Settings } from "./clickhouse/client.js";
import type { RecorderOptions, Report } from "./recorder-options.js";
import { readTable } from "./schemas/introspect.js";
import type { Table } from "./schemas/table.js";
import { type Pack, packerFor } from "./sink/compression.js";
import { DeadLetters } from "./sink/dead-letters.js";
import { readInsertSettings } from "./sink/insert-settings.js";
import { requireGone } from "./sink/left-out.js";
import { requireOneStore } from "./sink/one-store.js";
import { requireTokenMemory } from "./sink/token-memory.js";
import type { Wal } from "./wal/wal.js";

/** What is known once ClickHouse has been asked. */
export interface RecorderParts {
  readonly identity: Identity;
  readonly life: ServerLife;
  readonly settings: Settings;
  readonly tables: readonly Table[];
  readonly pack: Pack;
  readonly deadLetters: DeadLetters;
  readonly wal: Wal | undefined;
  readonly report: Report;
}

/**
 * Draws a start's `run`, and asks ClickHouse for what the recorder must know of it and its tables.
 * @throws ColdpathError TABLE_UNKNOWN, SCHEMA_MISMATCH, CLICKHOUSE_UNREACHABLE
 */
export async function askParts(
  options: RecorderOptions,
  report: Report,
  wal: Wal | undefined,
): Promise<RecorderParts> {
  const { clickhouse, recorder, env, leaveOut } = options;
  const identity: Identity = { recorder, env, run: randomBytes(8).readBigUInt64LE() };
  const life = await clickhouse.connect();
  const settings = await readInsertSettings(clickhouse);
  const tables: Table[] = [];
  for (const name of Object.keys(options.tables)) tables.push(await readTable(clickhouse, name));
  requireOneStore(clickhouse, tables);
  await requireTokenMemory(clickhouse, tables);
  const deadLetters = await DeadLetters.open(options.deadLettersDir, identity.run, (path, line) =>
    report({ kind: "dead_letter_damaged", path, line }),
  );
  const pack = await packerFor(options.compression, clickhouse.endpoints);
  for (const table of tables) for (const column of leaveOut?.[table.name] ?? []) requireGone(table, column);
  return { identity, life, settings, tables, pack, deadLetters, wal, report };
}
