import type { Config } from "../config/schema.js";
import {
  Recorder,
  type RecorderOptions,
  type Report,
  type SpoolOptions,
  type WalOptions,
} from "../recorder.js";
import { checkTables } from "../schemas/compare.js";
import { requireRights } from "../schemas/grants/check.js";
import { migrate } from "../schemas/migrate.js";
import { deadLettersFolder, type OpenedClickHouse, placeOf, spoolFolder, walFolder } from "./open.js";

/**
 * A recorder on an opened ClickHouse. The embedded engine is brought up to date first; a server's schema is changed only by
 * `coldpath migrate`, so there a difference is an error that says so. Without log and spool rows are in memory until they are stored, and
 * none is left out under load: for what can be read again, and waits for its room.
 */
export async function openRecorder(
  config: Config,
  opened: OpenedClickHouse,
  report?: Report,
  { withLog = true, leaveOut }: { readonly withLog?: boolean } & Pick<RecorderOptions, "leaveOut"> = {},
): Promise<Recorder> {
  const { clickhouse } = opened;
  if (opened.engine !== undefined) await migrate(clickhouse, { userDirs: config.schemas });
  else await requireRights(clickhouse, "writer", placeOf(config));
  await checkTables(clickhouse);
  return await Recorder.open({
    recorder: config.recorder.id,
    env: config.recorder.env,
    clickhouse,
    compression: config.clickhouse.compression,
    quorum: config.clickhouse.cluster !== undefined,
    tables: withLog ? config.tables : withoutLadders(config.tables),
    memory: config.memory,
    accept: config.accept,
    conditions: config.conditions,
    deadLettersDir: deadLettersFolder(config),
    ...(withLog ? { wal: walOptions(config), spool: spoolOptions(config) } : {}),
    ...(report === undefined ? {} : { report }),
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
