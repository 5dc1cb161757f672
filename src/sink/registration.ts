import { hostname } from "node:os";
import { ColdpathError } from "../base/errors.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";

/** What `recorder_runs` says of a start besides its identity. */
export interface Start {
  /** When it was; it is registered later if ClickHouse was away. */
  readonly at: Date;
  readonly version: string;
  /** SHA-256 of the effective configuration, without its secrets. */
  readonly configHash: string;
  /** The id of its log, if it has one. */
  readonly log: bigint | undefined;
}

/** How a start names the log it took over, as its source; empty without one. */
export function logSource(log: bigint | undefined): string {
  return log === undefined ? "" : `wal/${log.toString(16).padStart(16, "0")}`;
}

const UNKNOWN_TABLE = 60;

/** Whether {@link registerRun} was done. */
export async function isRegistered(clickhouse: ClickHouse, run: bigint): Promise<boolean> {
  const sql = "SELECT count() AS n FROM recorder_runs WHERE run = {run:UInt64}";
  const [row] = await asked(clickhouse, clickhouse.rows<{ n: string }>(sql, { params: { run } }));
  return row!.n !== "0";
}

/**
 * Writes this start into `recorder_runs`, so that a row's `run` leads to host, process and version.
 * @throws ColdpathError TABLE_UNKNOWN if that table is not there.
 */
export async function registerRun(
  clickhouse: ClickHouse,
  settings: Settings,
  identity: Identity,
  start: Start,
): Promise<void> {
  const row = {
    started: start.at.toISOString(),
    host: hostname(),
    pid: process.pid,
    version: start.version,
    config_hash: start.configHash,
    env: identity.env,
    recorder: identity.recorder,
    run: identity.run.toString(),
    seq: 1,
    source: logSource(start.log),
  };
  await asked(
    clickhouse,
    clickhouse.insert({
      sql: `INSERT INTO recorder_runs (${Object.keys(row).join(", ")}) FORMAT JSONEachRow`,
      body: Buffer.from(`${JSON.stringify(row)}\n`),
      settings: {
        ...settings,
        insert_deduplication_token: `${row.run}`,
        date_time_input_format: "best_effort",
      },
    }),
  );
}

/** Says what to do if the table is not there. */
async function asked<T>(clickhouse: ClickHouse, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ClickHouseError) || error.clickhouseCode !== UNKNOWN_TABLE) throw error;
    const message = `there is no table recorder_runs in ${clickhouse.options.database}: run coldpath migrate`;
    throw new ColdpathError("TABLE_UNKNOWN", message, { cause: error });
  }
}
