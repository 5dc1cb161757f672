import { once } from "node:events";
import type { Command } from "commander";
import { MINUTE_MS, SECOND_MS } from "../../../base/units.js";
import type { Config } from "../../../config/schema.js";
import type { Recorder, RecorderEvent } from "../../../recorder.js";
import { openClickHouse, openRecorder } from "../../../service/open.js";
import { type SurveyedTable, surveyLog } from "../../../wal/survey.js";
import { Context, interruption } from "../../context.js";
import { ProgressLine } from "../../progress-line.js";
import { tableText } from "../../table-text.js";
import { logFolder } from "./log-folder.js";

const CLOSE_DEADLINE_MS: number = MINUTE_MS;

/** What became of the rows of one table that were pending in the log. */
interface ReplayedTable {
  readonly table: string;
  /** Rows that were pending. */
  readonly rows: number;
  /** Of these, in ClickHouse by now: sent, or found there. */
  readonly stored: number;
  readonly dead_lettered: number;
  /** Still pending. */
  readonly left: number;
}

export function registerReplay(group: Command): void {
  group
    .command("replay")
    .requiredOption("--dir <folder>", "folder of the log, such as another host's")
    .description("store what a log has in the configured ClickHouse, asking for each row before it is sent")
    .addHelpText("after", "\nExample:\n  coldpath wal replay --dir /mnt/desk-2/data/wal")
    .action(async (options: { dir: string }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const pending = pendingRows(surveyLog(dir).tables);
      const tables = pending.size === 0 ? [] : await replay(dir, pending, context);
      context.result(text(tables), { dir, tables });
      if (tables.some(({ left }) => left > 0)) process.exitCode = 1;
    });
}

/** By table. */
function pendingRows(tables: readonly SurveyedTable[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const { table, pending } of tables) if (pending > 0) rows.set(table, (rows.get(table) ?? 0) + pending);
  return rows;
}

async function replay(
  dir: string,
  pending: ReadonlyMap<string, number>,
  context: Context,
): Promise<ReplayedTable[]> {
  const config = configOf(dir, pending, context);
  const signal = interruption();
  const opened = await openClickHouse(config);
  const line = new ProgressLine(context);
  let told: ReturnType<typeof setInterval> | undefined;
  try {
    const recorder = await openRecorder(config, opened, (event) => note(event, context));
    told = setInterval(() => line.show(progressText(recorder)), SECOND_MS);
    await Promise.race([recorder.replayed(), once(signal, "abort")]);
    const { tables } = await recorder.close({ deadlineMs: signal.aborted ? SECOND_MS : CLOSE_DEADLINE_MS });
    const left = pendingRows(surveyLog(dir).tables);
    return [...pending].map(([table, rows]) => ({
      table,
      rows,
      stored: tables[table]?.inherited.stored ?? 0,
      dead_lettered: tables[table]?.inherited.deadLettered ?? 0,
      left: left.get(table) ?? 0,
    }));
  } finally {
    clearInterval(told);
    line.end();
    await opened.close();
  }
}

/** The configuration on that log; tables of it that are recorded here are recorded through it. */
function configOf(dir: string, pending: ReadonlyMap<string, number>, context: Context): Config {
  const { config } = context.load([`wal.dir=${dir}`]);
  const logged = [...pending.keys()].filter((table) => Object.hasOwn(config.tables, table));
  return context.load([`wal.dir=${dir}`, ...logged.map((table) => `tables.${table}.durability=wal`)]).config;
}

function note(event: RecorderEvent, context: Context): void {
  if (event.kind === "wal_damage") {
    const { segment, offset, reason } = event;
    context.note(`segment ${segment}, byte ${offset}: ${reason}`);
  } else if (event.kind === "wal_rows_left") {
    context.note(`${event.rows} rows of ${event.table} stay in the log: no such table is configured here`);
  }
}

function progressText(recorder: Recorder): string {
  const pending = Object.entries(recorder.stats().wal?.pending ?? {}).filter(([, rows]) => rows > 0);
  return `left: ${pending.map(([table, rows]) => `${rows} rows of ${table}`).join(", ")}`;
}

function text(tables: readonly ReplayedTable[]): string {
  if (tables.length === 0) return "nothing to replay: all rows of the log are stored or given up";
  return tableText(
    ["table", "pending", "stored", "dead letters", "left"],
    tables.map(({ table, rows, stored, dead_lettered, left }) => [
      table,
      ...[rows, stored, dead_lettered, left].map(String),
    ]),
  );
}
