import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { tableText } from "../../base/table-text.js";
import type { ReplayProgress } from "../../recorder.js";
import { walFolder } from "../../service/open.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { ProgressLine } from "../progress-line.js";
import { logText, replayLog } from "../replay-log.js";
import { pauseText, watchReplay } from "../replay-progress.js";
import { RunningService } from "../running-service.js";

interface ReplayOptions {
  readonly wait?: boolean;
  /** `TABLE.COLUMN` */
  readonly without: readonly string[];
}

/** What a service answers. */
export type Answer = ReplayProgress & { readonly id: string };

export function registerReplay(program: Command): void {
  const replay = program
    .command("replay")
    .option("--wait", "until all rows that are pending now are stored or in the dead letters")
    .option(
      "--without <table.column>",
      "send rows of the log without a column that was dropped, and keep what it holds in the dead letters; repeatable",
      collect,
      [],
    )
    .description("try at once what waits in the log, paused tables included; without a service, store it")
    .action(async (options: ReplayOptions, command: Command) => {
      const context = new Context(command);
      const { without } = options;
      const leaveOut = columnsOf(without);
      const loaded = context.load();
      const service = new RunningService(loaded);
      const answer = (await service.ask("POST", `/api/replay${queryOf(without)}`)) as Answer | undefined;
      if (answer === undefined) await byItself(walFolder(loaded.config), leaveOut, context);
      else await inService(service, answer, options.wait === true, context);
    });
  withExamples(replay, [
    ["coldpath replay", "try it at once"],
    ["coldpath replay --wait", "and wait until it is through"],
    ["coldpath replay --without orders.note", "rows that were taken when orders still had a column note"],
  ]);
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Columns by table. @throws ColdpathError USAGE */
function columnsOf(places: readonly string[]): Record<string, string[]> {
  const columns: Record<string, string[]> = {};
  for (const place of places) {
    const [, table, column] = /^([^.]+)\.(.+)$/.exec(place) ?? [];
    if (table === undefined || column === undefined)
      throw new ColdpathError("USAGE", `--without ${place}: expected TABLE.COLUMN, such as orders.reason`);
    columns[table] = [...(columns[table] ?? []), column];
  }
  return columns;
}

function queryOf(places: readonly string[]): string {
  return places.length === 0
    ? ""
    : `?${places.map((place) => `without=${encodeURIComponent(place)}`).join("&")}`;
}

async function byItself(
  dir: string,
  leaveOut: Readonly<Record<string, readonly string[]>>,
  context: Context,
): Promise<void> {
  const tables = await replayLog(dir, context, { leaveOut });
  context.result(logText(tables), { dir, tables });
  if (tables.some(({ left }) => left > 0)) process.exitCode = 1;
}

/** Tells what a service answered that was asked to try at once; waits for it, if that is wanted. */
export async function inService(
  service: RunningService,
  { id, pending }: Answer,
  isWaiting: boolean,
  context: Context,
): Promise<void> {
  const { url } = service;
  if (!isWaiting) return context.result(begunText(pending), { service: url, pending });
  const line = new ProgressLine(context);
  const look = async (): Promise<ReplayProgress> => {
    const answer = (await service.ask("GET", `/api/replay/${id}`)) as Answer | undefined;
    return answer ?? gone(url);
  };
  const last = await watchReplay(look, line, interruption()).finally(() => line.end());
  const tables = Object.entries(pending).map(([table, rows]) => {
    const reason = last.paused[table];
    const left = last.pending[table] ?? 0;
    return { table, rows, left, ...(reason === undefined ? {} : { paused: pauseText(reason) }) };
  });
  context.result(waitedText(tables), { service: url, tables });
  if (tables.some(({ left }) => left > 0)) process.exitCode = 1;
}

function gone(url: string): never {
  throw new ColdpathError(
    "SERVICE_ANSWER",
    `the service at ${url} was stopped; what is pending stays in its log`,
  );
}

function begunText(pending: ReplayProgress["pending"]): string {
  const tables = Object.entries(pending);
  if (tables.length === 0) return "nothing is pending";
  return `being tried: ${tables.map(([table, rows]) => `${rows} rows of ${table}`).join(", ")}`;
}

function waitedText(
  tables: readonly { table: string; rows: number; left: number; paused?: string }[],
): string {
  if (tables.length === 0) return "nothing was pending";
  const told = tableText(
    ["table", "pending", "left"],
    tables.map(({ table, rows, left }) => [table, String(rows), String(left)]),
  );
  const reasons = tables.flatMap(({ table, paused }) =>
    paused === undefined ? [] : [`${table} is paused: ${paused}`],
  );
  return [told, ...reasons].join("\n");
}
