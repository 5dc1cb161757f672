import { join } from "node:path";
import { messageOf } from "../base/errors.js";
import { packageVersion } from "../base/version.js";
import type { Config } from "../config/schema.js";
import {
  type AwayTables,
  Recorder,
  type RecorderOptions,
  type Report,
  type SpoolOptions,
  type WalOptions,
} from "../recorder.js";
import { assumeTables } from "../schemas/assumed-table.js";
import { checkTables } from "../schemas/compare.js";
import { requireRights } from "../schemas/grants/check.js";
import { migrate } from "../schemas/migrate.js";
import { recallTables, rememberTables } from "../schemas/seen-tables.js";
import type { Table } from "../schemas/table.js";
import { deadLettersFolder, type OpenedClickHouse, placeOf, spoolFolder, walFolder } from "./open.js";
import { requirePolicyColumns } from "./policy-columns.js";

interface OpenRecorderOptions extends Pick<RecorderOptions, "leaveOut"> {
  /**
   * Default true. Without log and spool rows are in memory until they are stored, and none is left out under load: for what can be read again,
   * and waits for its room.
   */
  readonly withLog?: boolean;
  /** Whether best-effort rows may go to disk, and what is there is stored. Default: as `withLog`. */
  readonly withSpool?: boolean;
  /** Whether it opens while the server does not answer, unless `clickhouse.required_at_start` is set. Default false. */
  readonly mayBeAway?: boolean;
}

/**
 * A recorder on an opened ClickHouse. The embedded engine is brought up to date first; a server's schema is changed only by
 * `coldpath migrate`, so there a difference is an error that says so.
 */
export async function openRecorder(
  config: Config,
  opened: OpenedClickHouse,
  report: Report = () => {},
  { withLog = true, withSpool = withLog, mayBeAway = false, leaveOut }: OpenRecorderOptions = {},
): Promise<Recorder> {
  const { clickhouse, engine } = opened;
  const canStartAway = mayBeAway && engine === undefined && !config.clickhouse.required_at_start;
  const rights = async (): Promise<void> => {
    if (engine !== undefined) await migrate(clickhouse, { userDirs: config.schemas });
    else await requireRights(clickhouse, "writer", placeOf(config));
  };
  const schema = async (): Promise<void> => {
    const tables = await checkTables(clickhouse);
    requirePolicyColumns(config.tables, tables);
    if (canStartAway) await keepTables(config, tables, report);
  };
  return await Recorder.open({
    recorder: config.recorder.id,
    env: config.recorder.env,
    version: packageVersion(),
    clickhouse,
    compression: config.clickhouse.compression,
    quorum: config.clickhouse.cluster !== undefined,
    tables: withLog ? config.tables : withoutLadders(config.tables),
    memory: config.memory,
    accept: config.accept,
    conditions: config.conditions,
    deadLettersDir: deadLettersFolder(config),
    ...(withLog ? { wal: walOptions(config) } : {}),
    ...(withSpool ? { spool: spoolOptions(config) } : {}),
    checks: { rights, schema },
    report,
    ...(canStartAway ? { away: () => awayTables(config) } : {}),
    ...(leaveOut === undefined ? {} : { leaveOut }),
  });
}

function withoutLadders(tables: Config["tables"]): RecorderOptions["tables"] {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, { ...table, degrade: [] }]));
}

function spoolOptions(config: Config): SpoolOptions {
  const { order, after } = config.spool;
  const { reserve, emergency_disk } = config.wal;
  return { dir: spoolFolder(config), order, after, reserve, emergencyDisk: emergency_disk };
}

/** How the tables were when ClickHouse last answered. */
function tablesFile(config: Config): string {
  return join(config.data_dir, "tables.json");
}

/** A start needs no such file, so it goes on without. */
async function keepTables(config: Config, tables: readonly Table[], report: Report): Promise<void> {
  const path = tablesFile(config);
  const own = tables.filter(({ name }) => Object.hasOwn(config.tables, name));
  await rememberTables(path, own).catch((error: unknown) =>
    report({ kind: "tables_not_kept", path, message: messageOf(error) }),
  );
}

async function awayTables(config: Config): Promise<AwayTables> {
  const seen = await recallTables(tablesFile(config));
  const tables = assumeTables(Object.keys(config.tables), config.clickhouse.database, seen);
  return { tables, seen: seen.length > 0 };
}

function walOptions(config: Config): WalOptions {
  const { commit, segment, max, reserve, emergency_disk, keep_acked } = config.wal;
  const sizes = { segment, max, reserve, emergencyDisk: emergency_disk };
  return {
    dir: walFolder(config),
    commit,
    ...sizes,
    keepAcked: keep_acked,
    keys: config.intake.http.keys,
  };
}
