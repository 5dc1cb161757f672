import { tableText } from "../base/table-text.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { Config } from "../config/schema.js";
import type { RecorderEvent } from "../recorder.js";
import { openClickHouse } from "../service/open.js";
import { openRecorder } from "../service/open-recorder.js";
import { type SurveyedTable, surveyLog } from "../wal/survey.js";
import { type Context, interruption } from "./context.js";
import { ProgressLine } from "./progress-line.js";
import { pauseText, watchReplay } from "./replay-progress.js";

const CLOSE_DEADLINE_MS: number = MINUTE_MS;

/** What the name of who replays another's log ends in. */
const OTHER = ".replay";
/** Of a name that this still fits behind. */
const ID_CHARS: number = 64 - OTHER.length;

export interface ReplayLogOptions {
  /** By table, columns that were dropped. */
  readonly leaveOut?: Readonly<Record<string, readonly string[]>>;
  /** Whether it is not the log of the configured recorder, which may be running: nothing of that one's is used but its dead letters. */
  readonly isOther?: boolean;
}

/** What became of the rows of one table that were pending in the log. */
export interface ReplayedTable {
  readonly table: string;
  /** Rows that were pending. */
  readonly rows: number;
  /** Of these, in ClickHouse by now: sent, or found there. */
  readonly stored: number;
  readonly deadLettered: number;
  /** Still pending. */
  readonly left: number;
  /** Why they are, if the table is paused. */
  readonly paused?: string;
}

/**
 * Stores what is pending in the log of a recorder that does not run, with progress. Ends when all of it is through, at Ctrl-C, or when
 * what is left belongs to paused tables.
 * @throws ColdpathError WAL_LOCKED while a recorder runs on it, WAL_ABSENT
 */
export async function replayLog(
  dir: string,
  context: Context,
  { leaveOut = {}, isOther = false }: ReplayLogOptions = {},
): Promise<ReplayedTable[]> {
  const pending = pendingRows(surveyLog(dir).tables);
  if (pending.size === 0) return [];
  const config = configOf(dir, pending, context, isOther);
  const signal = interruption();
  const opened = await openClickHouse(config);
  const line = new ProgressLine(context);
  try {
    const recorder = await openRecorder(config, opened, (event) => note(event, context), {
      leaveOut,
      withSpool: !isOther,
    });
    const replay = recorder.replay();
    const { paused } = await watchReplay(async () => replay.progress, line, signal);
    const isUnfinished = signal.aborted || Object.keys(paused).length > 0;
    const { tables } = await recorder.close({ deadlineMs: isUnfinished ? SECOND_MS : CLOSE_DEADLINE_MS });
    const left = pendingRows(surveyLog(dir).tables);
    return [...pending].map(([table, rows]) => ({
      table,
      rows,
      stored: tables[table]?.inherited.stored ?? 0,
      deadLettered: tables[table]?.inherited.deadLettered ?? 0,
      left: left.get(table) ?? 0,
      ...(paused[table] === undefined ? {} : { paused: pauseText(paused[table]) }),
    }));
  } finally {
    line.end();
    await opened.close();
  }
}

/** The result of {@link replayLog} for people. */
export function logText(tables: readonly ReplayedTable[]): string {
  if (tables.length === 0) return "nothing to replay: all rows of the log are stored or given up";
  const told = tableText(
    ["table", "pending", "stored", "dead letters", "left"],
    tables.map(({ table, rows, stored, deadLettered, left }) => [
      table,
      ...[rows, stored, deadLettered, left].map(String),
    ]),
  );
  const reasons = tables.flatMap(({ table, paused }) =>
    paused === undefined ? [] : [`${table} is paused: ${paused}`],
  );
  return [told, ...reasons].join("\n");
}

/** By table. */
function pendingRows(tables: readonly SurveyedTable[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const { table, pending } of tables) if (pending > 0) rows.set(table, (rows.get(table) ?? 0) + pending);
  return rows;
}

/** The configuration on that log; tables of it that are recorded here are recorded through it. */
function configOf(
  dir: string,
  pending: ReadonlyMap<string, number>,
  context: Context,
  isOther: boolean,
): Config {
  const { config } = context.load([`wal.dir=${dir}`]);
  const logged = [...pending.keys()].filter((table) => Object.hasOwn(config.tables, table));
  // The configured recorder may be running: two of one name would be told as a clash.
  const name = isOther ? [`recorder.id=${config.recorder.id.slice(0, ID_CHARS)}${OTHER}`] : [];
  const durability = logged.map((table) => `tables.${table}.durability=wal`);
  return context.load([`wal.dir=${dir}`, ...name, ...durability]).config;
}

function note(event: RecorderEvent, context: Context): void {
  if (event.kind === "wal_damage") {
    const { segment, offset, reason } = event;
    context.note(`segment ${segment}, byte ${offset}: ${reason}`);
  } else if (event.kind === "wal_rows_left") {
    context.note(`${event.rows} rows of ${event.table} stay in the log: no such table is configured here`);
  }
}
