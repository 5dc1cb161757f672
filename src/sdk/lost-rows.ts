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
  /** Rows of a table that were ever taken from the rings, by its place in `tables`. */
  readonly handed: (table: number) => number;
  readonly onLost: (table: string, rows: number) => void;
}

/**
 * Finds out how many rows died with a worker: those it held of tables without a log, those it took in its last turn included, less those that are in the spool or that one of its
 * last INSERTs stored all the same. Each loss is told and becomes a gap.
 */
export async function tellLostRows(options: LostRowsOptions): Promise<void> {
  const { recorder, run, tables, ledger, handed, onLost } = options;
  for (const [index, name] of tables.entries()) {
    const { pending: told, stored, untold, handed: before } = ledger.of(index);
    const pending = told + handed(index) - before;
    // What it had dropped and not written down yet was told by events alone.
    recorder.addGap({ table: name, reason: "pipeline_died", rows: untold, run });
    if (pending === 0 || recorder.table(name).isLogged) continue;
    const spooled = recorder.spooledOf(name, BigInt(run));
    const onDisk = spooled.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    // While ClickHouse is away nobody can say whether a last INSERT stored some of them.
    const found = recorder.hasMet ? await countOf(options, name, spooled) : stored;
    const lost = stored + pending - (found + onDisk);
    if (lost <= 0) continue;
    onLost(name, lost);
    recorder.addGap({ table: name, reason: "pipeline_died", rows: lost, run });
  }
  // From here on it is the new worker's, should that one die before it has taken a row.
  for (const [index, name] of tables.entries())
    ledger.publish(index, {
      ...{ pending: 0, stored: 0, handed: handed(index) },
      untold: recorder.table(name).untoldRows,
    });
}

/** Rows of the run that are stored, but for those numbers, once none of its INSERTs can store any more. */
async function countOf(
  { clickhouse, recorder, recorderId, run }: LostRowsOptions,
  name: string,
  without: readonly { readonly first: number; readonly last: number }[],
): Promise<number> {
  const { table } = recorder.table(name);
  const signal = new AbortController().signal;
  await runningInsertsEnded({ clickhouse, table, signal });
  const sql = `SELECT count() AS n FROM ${quoteName(table.database)}.${quoteName(table.name)}
               WHERE recorder = {recorder:String} AND run = {run:UInt64}
                 AND NOT arrayExists(span -> seq BETWEEN span.1 AND span.2, {without:Array(Tuple(UInt64, UInt64))})`;
  const spans = without.map(({ first, last }) => `(${first},${last})`);
  const params = { recorder: recorderId, run, without: `[${spans.join()}]` };
  const [found] = await askReplica({
    clickhouse,
    table,
    ask: (request) => clickhouse.rows<{ n: string }>(sql, { ...request, params }),
  });
  return Number(found!.n);
}
