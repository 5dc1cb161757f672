import { durationText } from "../base/duration-text.js";
import { MIB } from "../base/units.js";
import type { RecorderStats } from "../recorder.js";

/** What a person wants to see first: is ClickHouse there, are rows landing, is the log well. */
export function statusText({ recorder, run, link, tables, wal, spool = {}, replay }: RecorderStats): string {
  const lines = Object.entries(tables).map(
    ([name, { offered, stored, pending, deadLettered }]) =>
      `${name.padEnd(24)}${[offered, stored, pending.rows, deadLettered].map((n) => String(n).padStart(14)).join("")}`,
  );
  return [
    `recorder ${recorder}, run ${run}, ${linkText(link)}`,
    ...(wal === undefined ? [] : [logLine(wal)]),
    ...Object.entries(spool).flatMap(spoolLine),
    ...(replay === undefined ? [] : [replayLine(replay)]),
    ...Object.entries(tables).flatMap(levelLine),
    "",
    `${"table".padEnd(24)}${["offered", "stored", "pending", "dead letters"].map((h) => h.padStart(14)).join("")}`,
    ...lines,
    "",
    "the same as JSON: /api/status",
    "",
  ].join("\n");
}

function linkText({ state, reason, seconds }: RecorderStats["link"]): string {
  return `ClickHouse ${state}${state === "up" ? "" : ` for ${durationText(seconds)}: ${reason}`}`;
}

function logLine(wal: NonNullable<RecorderStats["wal"]>): string {
  const { state, reason, refusing, bytes, segments, pending, oldestPendingSeconds, secondsUntilFull } = wal;
  const rows = Object.values(pending).reduce((sum, each) => sum + each, 0);
  const files = `${Math.ceil(bytes / MIB)} MiB in ${segments} segment${segments === 1 ? "" : "s"}`;
  const oldest =
    oldestPendingSeconds === undefined ? "" : `, the oldest for ${durationText(oldestPendingSeconds)}`;
  return [
    `log ${state}${state === "ok" ? "" : `: ${reason}`}`,
    ...(refusing === undefined ? [] : [`critical rows are refused (${refusing})`]),
    `${rows} rows pending${oldest}, ${files}`,
    ...(secondsUntilFull === undefined ? [] : [`at this rate full in ${durationText(secondsUntilFull)}`]),
  ].join("; ");
}

/** Nothing of a spool that is empty and well. */
function spoolLine([name, { state, reason, rows, bytes, max, oldestSeconds }]: readonly [
  string,
  NonNullable<RecorderStats["spool"]>[string],
]): string[] {
  const isWell = state === "ok" || state === "unused";
  if (isWell && rows === 0) return [];
  const oldest = oldestSeconds === undefined ? "" : `, the oldest for ${durationText(oldestSeconds)}`;
  const room = max === Infinity ? "" : ` of ${Math.floor(max / MIB)}`;
  return [
    `spool of ${name} ${state}${isWell ? "" : `: ${reason}`}; ${rows} rows on disk${oldest}, ${Math.ceil(bytes / MIB)}${room} MiB`,
  ];
}

function replayLine({ cause, rows, left, seconds }: NonNullable<RecorderStats["replay"]>): string {
  const since = cause === "start" ? "from before the start" : "from while ClickHouse was away";
  return `replay: ${left} of ${rows} rows ${since} are left after ${durationText(seconds)}`;
}

/** Nothing of a table that is at its normal level. */
function levelLine([name, { level, pressure }]: readonly [
  string,
  RecorderStats["tables"][string],
]): string[] {
  if (level.index === 0) return [];
  const now = `pressure ${Math.round(pressure.value * 100)}%, from ${pressure.cause}`;
  return [`overload: ${name} is at level ${level.index}, ${level.step}; ${now}`];
}
