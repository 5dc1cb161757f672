import type { ClickHouse } from "../clickhouse/client.js";
import { quoteName } from "../clickhouse/quote.js";
import { runningInsertsEnded } from "../intake/stored-lines.js";
import type { Recorder } from "../recorder.js";
import { askReplica } from "../schemas/ask-replica.js";
import type { Ledger } from "./ledger.js";

export interface LostRowsOptions {
  readonly clickhouse: ClickHouse;
  readonly recorder: Recorder;
  readonly recorderId: string;
  /** The run of the worker that died, and the names of its tables in the order of the ledger. */
  readonly run: string;
  readonly tables: readonly string[];
  readonly ledger: Ledger;
  readonly onLost: (table: string, rows: number) => void;
}

/**
 * Finds out how many rows died with a worker: those it held of tables without a log, less those that one of its last INSERTs stored
 * all the same. Each loss is told and becomes a gap.
 */
export async function tellLostRows(options: LostRowsOptions): Promise<void> {
  const { recorder, run, tables, ledger, onLost } = options;
  for (const [index, name] of tables.entries()) {
    const { pending, stored } = ledger.of(index);
    if (pending === 0 || recorder.table(name).isLogged) continue;
    const lost = pending - ((await countOf(options, name)) - stored);
    if (lost <= 0) continue;
    onLost(name, lost);
    recorder.addGap({ table: name, reason: "pipeline_died", rows: lost, run });
  }
  // From here on it is the new worker's, should that one die before it has taken a row.
  ledger.clear();
}

/** Rows of the run that are stored, once none of its INSERTs can store any more. */
async function countOf(
  { clickhouse, recorder, recorderId, run }: LostRowsOptions,
  name: string,
): Promise<number> {
  const { table } = recorder.table(name);
  const signal = new AbortController().signal;
  await runningInsertsEnded({ clickhouse, table, signal });
  const sql = `SELECT count() AS n FROM ${quoteName(table.database)}.${quoteName(table.name)}
               WHERE recorder = {recorder:String} AND run = {run:UInt64}`;
  const params = { recorder: recorderId, run };
  const [found] = await askReplica({
    clickhouse,
    table,
    ask: (request) => clickhouse.rows<{ n: string }>(sql, { ...request, params }),
  });
  return Number(found!.n);
}
