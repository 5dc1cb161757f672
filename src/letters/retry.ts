import { existsSync } from "node:fs";
import { type Clock, systemClock } from "../base/clock.js";
import { crashPoint } from "../base/crash-point.js";
import { ColdpathError } from "../base/errors.js";
import { MIB } from "../base/units.js";
import { EventWindow } from "../buffer/event-window.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { LineError } from "../intake/line-error.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import { runningInsertsEnded } from "../intake/stored-lines.js";
import { ValueError } from "../native/block.js";
import { readTable } from "../schemas/introspect.js";
import type { Table } from "../schemas/table.js";
import type { DeadLetter } from "../sink/dead-letter.js";
import { quorumSettings, readInsertSettings } from "../sink/insert-settings.js";
import { removeLetters } from "../sink/letter-files.js";
import { pendingRows, surveyLog } from "../wal/survey.js";
import { LetterError, type LetterRow, LetterRows } from "./letter-row.js";
import { LetterSender, REQUEST_MS } from "./letter-sender.js";
import { selectedLetters } from "./selection.js";
import { type TableRetry, TableTally } from "./table-retry.js";

export interface RetryOptions {
  /** The dead letters; nobody else takes letters out of it meanwhile. */
  readonly folder: string;
  /** Of the letters to try. */
  readonly ids: ReadonlySet<string>;
  /** The folder of the recorder's log, if there may be one. */
  readonly log?: string;
  readonly clickhouse: ClickHouse;
  readonly recorder: string;
  readonly env: string;
  /** Event times taken, in milliseconds before and after now. */
  readonly accept: { readonly past: number; readonly future: number };
  readonly normaliser: Normaliser;
  /** Whether rows of a table count as stored only once a majority of the replicas has them. */
  readonly waitsForQuorum: (table: string) => boolean;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** Rows asked for and sent at once. */
const CHUNK_ROWS = 1000;
const CHUNK_BYTES: number = 4 * MIB;

/**
 * Tries dead letters again, and takes those out whose rows are stored. Whatever ends it, no row is stored twice and no letter
 * is lost: a letter goes only after its row is in ClickHouse, and every try asks first. Rows whose fate the log does not know stay letters: a
 * recorder may be sending them at this moment.
 *
 * @throws UnreachableError, ClickHouseError, ColdpathError DEADLINE; the letters of rows stored until then are gone.
 */
export async function retryLetters(options: RetryOptions): Promise<TableRetry[]> {
  const { folder, ids } = options;
  const tables = new Set<string>();
  for await (const { table } of selectedLetters(folder, { ids })) tables.add(table);
  // All letters that are meant were written by now, and each row of a log was logged before its letter.
  const isPending = pendingIn(options.log);
  const retried: TableRetry[] = [];
  for (const name of tables) {
    const table = await readTable(options.clickhouse, name).catch((error: unknown) => {
      if (error instanceof ColdpathError && error.code === "TABLE_UNKNOWN") return error;
      throw error;
    });
    retried.push(
      await (table instanceof Error ? keepAll(options, name, table) : retryTable(options, table, isPending)),
    );
  }
  return retried;
}

/** There is no such table any more: that holds up no other. */
async function keepAll({ folder, ids }: RetryOptions, table: string, error: Error): Promise<TableRetry> {
  const tally = new TableTally(table);
  for await (const { id } of selectedLetters(folder, { ids, table })) tally.stays(id, error.message);
  return tally.retry;
}

/** Whether the row of a letter waits in the log. @throws LogDiskError, WAL_NEWER */
function pendingIn(log: string | undefined): (letter: DeadLetter) => boolean {
  if (log === undefined || !existsSync(log)) return () => false;
  const isPending = pendingRows(surveyLog(log));
  return ({ table, run, seq }) => seq !== null && isPending({ table, run: BigInt(run), seq: Number(seq) });
}

async function retryTable(
  options: RetryOptions,
  table: Table,
  isPending: (letter: DeadLetter) => boolean,
): Promise<TableRetry> {
  const { folder, ids, clickhouse, recorder, env, accept, normaliser, signal } = options;
  const { name } = table;
  const clock = options.clock ?? systemClock;
  // An INSERT of a try that was killed may still run.
  await runningInsertsEnded({ clickhouse, table, signal, clock });
  const rows = new LetterRows({
    table,
    env,
    window: new EventWindow(accept, clock),
    normaliser: normaliser.of(name),
  });
  const quorum = options.waitsForQuorum(name) ? quorumSettings(REQUEST_MS) : {};
  const settings = { ...(await readInsertSettings(clickhouse)), ...quorum };
  const sender = new LetterSender({ clickhouse, table, settings, recorder, signal });
  const tally = new TableTally(name);
  try {
    for await (const chunk of chunksOf(selectedLetters(folder, { ids, table: name }), (letter) => {
      if (!isPending(letter)) return rowOf(rows, letter, tally);
      tally.stays(letter.id, "its row waits in the log: a recorder stores it, or refuses it again");
      return undefined;
    })) {
      tally.add(await sender.send(chunk));
    }
  } finally {
    crashPoint("dead_letter.retry");
    await removeLetters(folder, tally.gone);
  }
  return tally.retry;
}

/** The letter's row; undefined, and noted, if it would be refused again. */
function rowOf(rows: LetterRows, letter: DeadLetter, tally: TableTally): LetterRow | undefined {
  try {
    return rows.rowOf(letter);
  } catch (error) {
    if (!isOfTheLetter(error)) throw error;
    tally.stays(letter.id, error.message);
    return undefined;
  }
}

function isOfTheLetter(error: unknown): error is Error {
  if (error instanceof LetterError || error instanceof ValueError || error instanceof LineError) return true;
  return error instanceof ColdpathError && error.code === "BLOCK_DAMAGED";
}

async function* chunksOf(
  letters: AsyncIterable<DeadLetter>,
  make: (letter: DeadLetter) => LetterRow | undefined,
): AsyncGenerator<LetterRow[]> {
  let chunk: LetterRow[] = [];
  let bytes = 0;
  for await (const letter of letters) {
    const row = make(letter);
    if (row === undefined) continue;
    chunk.push(row);
    bytes += row.block.length;
    if (chunk.length < CHUNK_ROWS && bytes < CHUNK_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}
