import { durationText } from "../base/duration-text.js";
import { type Paint, PLAIN } from "../base/paint.js";
import { tableText } from "../base/table-text.js";
import { MIB } from "../base/units.js";
import type { RecorderStats } from "../recorder.js";

type Tables = RecorderStats["tables"];

/** What a person wants to see first: is ClickHouse there, are rows landing, is the log well, what is to be looked after. */
export function statusText(stats: RecorderStats, paint: Paint = PLAIN): string {
  const { recorder, run, link, memory, tables, wal, spool = {}, replay, conditions } = stats;
  const each = Object.entries(tables);
  return [
    `recorder ${recorder}, run ${run}, ${linkText(link, paint)}`,
    `memory ${mib(memory.used)} of ${mib(memory.max)}`,
    ...(wal === undefined ? [] : [logLine(wal)]),
    ...Object.entries(spool).flatMap(spoolLine),
    ...(replay === undefined ? [] : [replayLine(replay)]),
    ...each.flatMap(levelLine).map(paint.warn),
    ...each.flatMap(pauseLine).map(paint.bad),
    ...conditions.map(({ message }) => paint.warn(`LOOK: ${message}`)),
    ...each.flatMap(imbalanceLine).map(paint.bad),
    "",
    tableText(HEADINGS, each.map(tableRow)).replace(/^.*/, paint.strong),
    "",
  ].join("\n");
}

const HEADINGS = [
  ...["table", "rows/s", "queue", "fresh", "stored", "pending", "thinned", "dropped", "refused"],
  ...["letters", "pressure", "level"],
];

function tableRow([name, table]: readonly [string, Tables[string]]): string[] {
  const { perSecond, usage, stored, pending, deduplicated, sampled, dropped, refused, deadLettered } = table;
  const counts = [stored, pending.rows, deduplicated + sampled, sumOf(dropped), sumOf(refused), deadLettered];
  return [
    name,
    numberText(Math.round(perSecond.stored)),
    percentText(usage),
    freshnessText(table),
    ...counts.map(numberText),
    percentText(table.pressure.value),
    `${table.level.index}`,
  ];
}

/** How old the oldest row was that was stored last, or the oldest is that waits. */
function freshnessText({ freshnessSeconds, oldestSeconds }: Tables[string]): string {
  if (freshnessSeconds === undefined && oldestSeconds === undefined) return "-";
  const seconds = Math.max(freshnessSeconds ?? 0, oldestSeconds ?? 0);
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

function pauseLine([name, { paused }]: readonly [string, Tables[string]]): string[] {
  return paused === undefined ? [] : [`${name} is paused: ${paused.code}: ${paused.message}`];
}

function imbalanceLine([name, { conservation }]: readonly [string, Tables[string]]): string[] {
  if (conservation.holds) return [];
  const { offered, accepted } = conservation.imbalance;
  const wrong = `${numberText(offered)} of the rows offered, ${numberText(accepted)} of those accepted`;
  return [`MISCOUNT: rows of ${name} do not add up, by ${wrong}`];
}

function mib(bytes: number): string {
  return `${numberText(Math.ceil(bytes / MIB))} MiB`;
}

function numberText(count: number): string {
  return count.toLocaleString("en-US");
}

function percentText(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function linkText({ state, reason, seconds }: RecorderStats["link"], paint: Paint): string {
  if (state === "up") return `ClickHouse ${paint.good(state)}`;
  const mark = state === "down" ? paint.bad : paint.warn;
  return `ClickHouse ${mark(state)} for ${durationText(seconds)}: ${reason}`;
}

function logLine(wal: NonNullable<RecorderStats["wal"]>): string {
  const { state, reason, refusing, bytes, segments, pending, oldestPendingSeconds, secondsUntilFull } = wal;
  const rows = Object.values(pending).reduce((sum, each) => sum + each, 0);
  const files = `${mib(bytes)} in ${segments} segment${segments === 1 ? "" : "s"}`;
  const oldest =
    oldestPendingSeconds === undefined ? "" : `, the oldest for ${durationText(oldestPendingSeconds)}`;
  return [
    `log ${state}${state === "ok" ? "" : `: ${reason}`}`,
    ...(refusing === undefined ? [] : [`critical rows are refused (${refusing})`]),
    `${numberText(rows)} rows pending${oldest}, ${files}`,
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
function levelLine([name, { level, pressure }]: readonly [string, Tables[string]]): string[] {
  if (level.index === 0) return [];
  const now = `pressure ${percentText(pressure.value)}, from ${pressure.cause}`;
  return [`overload: ${name} is at level ${level.index}, ${level.step}; ${now}`];
}
