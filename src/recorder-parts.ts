import { randomBytes } from "node:crypto";
import type { Identity } from "./buffer/stamp.js";
import type { AwayTables, RecorderOptions, Report, TableOptions } from "./recorder-options.js";
import type { Table } from "./schemas/table.js";
import { type Pack, packerFor } from "./sink/compression.js";
import { DeadLetters } from "./sink/dead-letters.js";
import { requireGone } from "./sink/left-out.js";
import type { Start } from "./sink/registration.js";
import { checkStart, type Met } from "./sink/start-checks.js";
import type { Wal } from "./wal/wal.js";

/** What a recorder is made of. */
export interface RecorderParts {
  readonly identity: Identity;
  readonly start: Start;
  /** What ClickHouse said, unless it is away. */
  readonly met: Met | undefined;
  /** If it is away: why we think so, and what is known of the tables. */
  readonly away: (AwayTables & { readonly reason: string }) | undefined;
  readonly tables: readonly Table[];
  readonly pack: Pack;
  readonly deadLetters: DeadLetters;
  readonly wal: Wal | undefined;
  readonly report: Report;
}

/**
 * Draws a start's `run`, asks ClickHouse for what the recorder must know of it and its tables, and registers the start; all but the first is
 * left for later if ClickHouse is away and may be.
 * @throws ColdpathError TABLE_UNKNOWN, SCHEMA_MISMATCH, CLICKHOUSE_UNREACHABLE
 */
export async function askParts(
  options: RecorderOptions,
  report: Report,
  wal: Wal | undefined,
): Promise<RecorderParts> {
  const { clickhouse, recorder, env, leaveOut, version = "", configHash = "" } = options;
  const identity: Identity = { recorder, env, run: randomBytes(8).readBigUInt64LE() };
  const start = { at: new Date(), version, configHash, log: wal?.logId };
  const keepsRows = wal !== undefined || (options.spool !== undefined && hasTable(options, "spool"));
  const mayBeAway = options.away !== undefined && keepsRows;
  const names = Object.keys(options.tables);
  const asked = { clickhouse, identity, start, names, mayBeAway, ...options.checks };
  const { met, reason } = await checkStart(asked);
  const away = met === undefined ? { ...(await options.away!()), reason } : undefined;
  const tables = met?.tables ?? away!.tables;
  const deadLetters = await DeadLetters.open(options.deadLettersDir, identity.run, (path, line) =>
    report({ kind: "dead_letter_damaged", path, line }),
  );
  const pack = await packerFor(options.compression, clickhouse.endpoints);
  for (const table of tables) for (const column of leaveOut?.[table.name] ?? []) requireGone(table, column);
  return { identity, start, met, away, tables, pack, deadLetters, wal, report };
}

/** Whether rows of a table are kept that way. */
export function hasTable({ tables }: RecorderOptions, kind: TableOptions["durability"]): boolean {
  return Object.values(tables).some(({ durability }) => durability === kind);
}
