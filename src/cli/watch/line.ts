import type { Paint } from "../../base/paint.js";

/** A piece of a line with its mark. */
export interface Span {
  readonly text: string;
  readonly as?: keyof Paint;
}

/** What stands on one line of the screen. */
export type Line = readonly Span[];

export function span(text: string, as?: keyof Paint): Span {
  return as === undefined ? { text } : { text, as };
}

/** Two lines if one is too narrow: what has no room of the last piece stands below, indented. */
export function wrapped(line: Line, width: number, indent: number): Line[] {
  const last = line.at(-1)!;
  const before = line.slice(0, -1);
  const room = width - before.reduce((sum, { text }) => sum + text.length, 0);
  if (last.text.length <= room) return [line];
  const space = last.text.lastIndexOf(" ", room);
  const at = space > 0 ? space : room;
  const rest = { ...last, text: " ".repeat(indent) + last.text.slice(at).trimStart() };
  return [[...before, { ...last, text: last.text.slice(0, at) }], [rest]];
}

/** The line as the terminal takes it, cut at its width. */
export function painted(line: Line, width: number, paint: Paint): string {
  let left = width;
  let out = "";
  for (const { text, as } of line) {
    // Texts of others, such as ClickHouse's, must not steer the terminal.
    const shown = text.replaceAll(/\p{C}+/gu, " ").slice(0, left);
    left -= shown.length;
    out += as === undefined ? shown : paint[as](shown);
  }
  return out;
}
