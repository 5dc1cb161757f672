import type { Command } from "commander";
import { tableText } from "../../../base/table-text.js";
import { damageReport } from "../../../wal/damage-report.js";
import { type Survey, type SurveyedSegment, surveyLog } from "../../../wal/survey.js";
import { Context } from "../../context.js";
import { withExamples } from "../../examples.js";
import { damageText } from "./damage-text.js";
import { type LogOptions, logFolder, withDir } from "./log-folder.js";

export function registerLs(group: Command): void {
  const ls = withDir(group.command("ls"))
    .description("segments, and the rows of each table that are not known to be stored")
    .action((options: LogOptions, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const survey = surveyLog(dir);
      context.result(text(dir, survey), json(dir, survey));
    });
  withExamples(ls, [
    ["coldpath wal ls", "the configured log"],
    ["coldpath wal ls --dir /mnt/desk-2/data/wal", "another host's"],
  ]);
}

function text(dir: string, { segments, tables, cursor, damage, torn }: Survey): string {
  const lines = [dir];
  if (segments.length === 0) return [...lines, "the log is empty"].join("\n");
  lines.push(
    tableText(
      ["segment", "state", "bytes", "made", "ordinals", "rows", "pending"],
      segments.map((segment) => [
        String(segment.segment),
        segment.closed ? "closed" : "open",
        String(segment.bytes),
        madeAt(segment) ?? "",
        ordinals(segment),
        String(rowsOf(segment)),
        String(segment.pending),
      ]),
    ),
    "",
    tableText(
      ["table", "run", "rows", "pending"],
      tables.map(({ table, run, rows, pending }) => [table, String(run), String(rows), String(pending)]),
    ),
    "",
    pendingText(segments),
    cursor === undefined ? "no cursor" : `the cursor is at ordinal ${cursor.upTo}`,
    ...damage.map((place) => `damaged: ${damageText(damageReport(place))}`),
    ...torn.map((place) => `unfinished: ${damageText(damageReport(place))}`),
  );
  return lines.join("\n");
}

function pendingText(segments: readonly SurveyedSegment[]): string {
  const pending = segments.reduce((sum, segment) => sum + segment.pending, 0);
  const oldest = segments.find((segment) => segment.pending > 0);
  if (oldest === undefined) return "all rows are stored or given up";
  return `${pending} rows are pending, the oldest in segment ${oldest.segment}, made ${madeAt(oldest) ?? "at an unknown time"}`;
}

function json(dir: string, { logId, segments, tables, cursor, damage, torn }: Survey): unknown {
  const oldest = segments.find((segment) => segment.pending > 0);
  return {
    dir,
    logId: logId === undefined ? null : String(logId),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    rows: segments.reduce((sum, segment) => sum + rowsOf(segment), 0),
    pending: segments.reduce((sum, { pending }) => sum + pending, 0),
    oldestPending: oldest === undefined ? null : { segment: oldest.segment, made: madeAt(oldest) ?? null },
    cursor: cursor === undefined ? null : { upTo: cursor.upTo },
    segments: segments.map((segment) => ({
      segment: segment.segment,
      state: segment.closed ? "closed" : "open",
      bytes: segment.bytes,
      made: madeAt(segment) ?? null,
      firstOrdinal: segment.firstOrdinal,
      lastOrdinal: segment.lastOrdinal,
      rows: rowsOf(segment),
      pending: segment.pending,
    })),
    tables: tables.map(({ run, ...table }) => ({ ...table, run: String(run) })),
    damage: damage.map(damageReport),
    torn: torn.map(damageReport),
  };
}

function rowsOf({ tables }: SurveyedSegment): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

function ordinals({ firstOrdinal, lastOrdinal }: SurveyedSegment): string {
  return lastOrdinal < firstOrdinal ? "none" : `${firstOrdinal}–${lastOrdinal}`;
}

/** Undefined if the header that says it is damaged. */
function madeAt({ createdAt }: SurveyedSegment): string | undefined {
  return createdAt === 0 ? undefined : new Date(createdAt).toISOString();
}
