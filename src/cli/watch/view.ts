import type { Paint } from "../../base/paint.js";
import type { Glyphs } from "./bars.js";
import { type Line, painted, span } from "./line.js";
import type { Look, ToldEvent } from "./look.js";
import { clockText } from "./numbers.js";
import { overview } from "./overview.js";
import { tableLines } from "./tables.js";

/** What the view is drawn with. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly glyphs: Glyphs;
}

/** So many lines of events are worth more than the quietest tables. */
const EVENTS_MIN = 3;

/** The whole screen, as many lines as it has at most. @param now Unix seconds */
export function view(look: Look, now: number, { columns, rows, paint, glyphs }: Canvas): string[] {
  const head = overview(look, now, columns, glyphs);
  const foot: Line = [
    span("q quits   what to do: coldpath flush, replay --wait, wal ls, dead-letter ls", "dim"),
  ];
  const lines = [...head];
  if (look.status !== undefined) {
    const room = rows - head.length - 2;
    const events = eventLines(look.events);
    const kept = Math.min(events.length, EVENTS_MIN) + 1;
    lines.push([], ...tableLines(look.status, columns, Math.max(3, room - 1 - kept), glyphs));
    const left = rows - lines.length - 2;
    if (left >= 2) lines.push([], [span("events", "strong")], ...events.slice(-(left - 1)));
  } else {
    lines.push(
      [],
      [span("start one with coldpath serve, or name its address with --set admin.listen=HOST:PORT")],
    );
  }
  const shown = lines.slice(0, rows - 1);
  while (shown.length < rows - 1) shown.push([]);
  return [...shown, foot].map((line) => painted(line, columns, paint));
}

function eventLines(events: readonly ToldEvent[]): Line[] {
  if (events.length === 0) return [[span("none yet", "dim")]];
  return events
    .filter(({ level }) => level !== "debug")
    .map(({ at, level, message }) => [
      span(`${clockText(at)} `, "dim"),
      span(level.padEnd(6), level === "error" ? "bad" : level === "warn" ? "warn" : "dim"),
      span(message),
    ]);
}
