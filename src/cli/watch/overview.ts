import type { StatusReport } from "../../admin/status-report.js";
import { durationText } from "../../base/duration-text.js";
import type { Paint } from "../../base/paint.js";
import { bar, type Glyphs, sparkline } from "./bars.js";
import { type Line, span, wrapped } from "./line.js";
import type { Look } from "./look.js";
import { ageText, clockText, countText, percentText, sizeText } from "./numbers.js";

/** Where the names of the lines end. */
const NAME = 11;
const BAR = 10;
/** From here on there is room for more than numbers. */
const WIDE = 110;

/** The upper lines: is ClickHouse there, do rows land, how full is what keeps them. @param now Unix seconds */
export function overview(look: Look, now: number, width: number, glyphs: Glyphs): Line[] {
  const { status } = look;
  const lines = [titleLine(look, now, width)];
  if (look.absent !== undefined) lines.push(...wrapped(absentLine(look.absent, now, glyphs), width, NAME));
  if (status === undefined) return lines;
  return [
    ...lines,
    ...wrapped(linkLine(status, glyphs), width, NAME),
    rowsLine(look, status, width, glyphs),
    gauge("memory", status.memory.used, status.memory.max, glyphs),
    ...logLines(status, glyphs),
    ...spoolLines(look, status, glyphs),
    ...alarms(status, glyphs).flatMap((line) => wrapped(line, width, NAME)),
  ];
}

function titleLine({ url, status }: Look, now: number, width: number): Line {
  const name = status === undefined ? "coldpath" : `coldpath ${status.recorder}`;
  const up = status === undefined ? "" : `up ${durationText(status.service.uptimeSeconds)}`;
  const right = clockText(now);
  const left = `${name}  ${[up, url].filter((part) => part !== "").join("  ")}`;
  return [
    span(name, "strong"),
    span(left.slice(name.length).padEnd(Math.max(0, width - name.length - right.length)), "dim"),
    span(right, "dim"),
  ];
}

function absentLine({ reason, since }: NonNullable<Look["absent"]>, now: number, { dot }: Glyphs): Line {
  const time = now - since < 1 ? "" : ` for ${durationText(now - since)}`;
  return [span(named("recorder")), span(`${dot} NO ANSWER${time}`, "bad"), span(`: ${reason}`)];
}

function linkLine({ link }: StatusReport, { dot }: Glyphs): Line {
  const marks: Readonly<Record<string, keyof Paint>> = { up: "good", recovering: "warn", degraded: "warn" };
  const state = link.state === "up" ? "up" : link.state.toUpperCase();
  const reason = link.state === "up" ? "" : `: ${link.reason}`;
  return [
    span(named("ClickHouse")),
    span(`${dot} ${state}`, marks[link.state] ?? "bad"),
    span(` for ${durationText(link.seconds)}${reason}`),
  ];
}

function rowsLine({ stored }: Look, status: StatusReport, width: number, glyphs: Glyphs): Line {
  const tables = Object.values(status.tables);
  const ages = tables.flatMap(({ perSecond, freshnessSeconds, oldestSeconds }) =>
    // What was stored long ago tells nothing of now.
    [perSecond.stored > 0 ? freshnessSeconds : undefined, oldestSeconds].filter((age) => age !== undefined),
  );
  const waiting = tables.reduce((sum, { pending, inherited }) => sum + pending.rows + inherited.pending, 0);
  const freshness = ages.length === 0 ? undefined : Math.max(...ages);
  const late = freshness !== undefined && freshness >= LATE_SECONDS;
  const line = [
    span(named("rows/s")),
    span(`in ${countText(status.rates.offered)}  stored ${countText(status.rates.stored)}`, "strong"),
    span("   freshness "),
    span(ageText(freshness), late ? "warn" : "good"),
    span(`   waiting ${countText(waiting)}`),
  ];
  if (width < WIDE) return line;
  const room = width - line.reduce((sum, { text }) => sum + text.length, 0) - 3;
  return [...line, span(`   ${sparkline(stored, room, glyphs)}`, "dim")];
}

const LATE_SECONDS = 5;

function logLines({ wal }: StatusReport, glyphs: Glyphs): Line[] {
  if (wal === undefined) return [];
  const pending = Object.values(wal.pending).reduce((sum, rows) => sum + rows, 0);
  const state =
    wal.state === "ok" ? [] : [span(`  ${wal.state.toUpperCase()}: ${wal.reason}`, "bad" as const)];
  return [
    [
      ...gauge("log", wal.bytes, wal.max, glyphs),
      ...fullIn(wal.secondsUntilFull),
      span(pending === 0 ? "  nothing pending" : `  ${countText(pending)} rows`),
      ...(wal.refusing === undefined ? [] : [span("  critical rows are REFUSED", "bad")]),
      ...state,
    ],
  ];
}

/** Of all tables together. */
function spoolLines({ spoolFullIn }: Look, { spool = {} }: StatusReport, glyphs: Glyphs): Line[] {
  const spools = Object.values(spool);
  if (spools.length === 0) return [];
  const sum = (key: "bytes" | "max" | "rows"): number => spools.reduce((all, each) => all + each[key], 0);
  const ill = Object.entries(spool).find(([, { state }]) => state !== "ok" && state !== "unused");
  return [
    [
      ...gauge("spool", sum("bytes"), sum("max"), glyphs),
      ...fullIn(spoolFullIn),
      span(sum("rows") === 0 ? "  empty" : `  ${countText(sum("rows"))} rows`),
      ...(ill === undefined ? [] : [span(`  ${ill[0]} ${ill[1].state}: ${ill[1].reason}`, "bad")]),
    ],
  ];
}

/** Longer than this is no news. */
const FAR_SECONDS = 7 * 86_400;

function fullIn(seconds: number | undefined): Line {
  if (seconds === undefined || seconds > FAR_SECONDS) return [];
  return [span("  full in "), span(durationText(seconds), seconds < 3600 ? "bad" : "warn")];
}

/** What somebody has to look after, a line each. */
function alarms({ tables, conditions, notLanding, replay }: StatusReport, { dot }: Glyphs): Line[] {
  const paused = Object.entries(tables).flatMap(([name, table]) =>
    table.paused === undefined ? [] : [`${name} is paused: ${table.paused.code}: ${table.paused.message}`],
  );
  const miscounted = Object.entries(tables).flatMap(([name, { conservation }]) =>
    conservation.holds ? [] : [`rows of ${name} do not add up`],
  );
  const stuck = notLanding.map(({ table, seconds }) => `${table} for ${durationText(seconds)}`);
  const notLanded = stuck.length === 0 ? [] : [`rows wait and none has landed: ${stuck.join(", ")}`];
  const bad = [...paused, ...miscounted, ...notLanded].map((text) => [
    span(named("look")),
    span(`${dot} ${text}`, "bad"),
  ]);
  const warnings = conditions.map(({ message }) => [span(named("look")), span(`${dot} ${message}`, "warn")]);
  return [...(replay === undefined ? [] : [replayLine(replay)]), ...bad, ...warnings];
}

function replayLine({ rows, left, seconds }: NonNullable<StatusReport["replay"]>): Line {
  const done = rows - left;
  const rate = seconds > 0 ? `, ${countText(done / seconds)} rows/s` : "";
  return [
    span(named("replay")),
    span(`${countText(left)} of ${countText(rows)} rows left after ${durationText(seconds)}${rate}`, "warn"),
  ];
}

function gauge(name: string, used: number, max: number, glyphs: Glyphs): Line {
  const share = max > 0 && Number.isFinite(max) ? used / max : 0;
  const room = Number.isFinite(max) ? ` of ${sizeText(max)}` : "";
  return [
    span(named(name)),
    ...bar(share, BAR, glyphs),
    span(percentText(share).padStart(5)),
    span(`  ${sizeText(used)}${room}`),
  ];
}

function named(name: string): string {
  return name.padEnd(NAME);
}
