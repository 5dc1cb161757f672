import { type Span, span } from "./line.js";

/** What bars are drawn with. */
export interface Glyphs {
  readonly full: string;
  readonly empty: string;
  /** From nothing to all. */
  readonly steps: readonly string[];
  readonly dot: string;
}

const BLOCKS: Glyphs = { full: "█", empty: "░", steps: [..." ▁▂▃▄▅▆▇█"], dot: "●" };
const ASCII: Glyphs = { full: "#", empty: ".", steps: [..." .:-=+*#@"], dot: "*" };

/** Those that the terminal has, as far as the locale tells. */
export function glyphsOf(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale) ? BLOCKS : ASCII;
}

/** From here on a filled bar is to be looked at, and from there on it is bad. */
const WARN_SHARE = 0.5;
const BAD_SHARE = 0.8;

/** What shows as 1%. */
const SEEN_SHARE = 0.005;

/** How full something is. */
export function bar(share: number, width: number, { full, empty }: Glyphs): Span[] {
  const filled = Math.min(width, share >= SEEN_SHARE ? Math.max(1, Math.round(share * width)) : 0);
  const as = share >= BAD_SHARE ? "bad" : share >= WARN_SHARE ? "warn" : "good";
  return [span(full.repeat(filled), as), span(empty.repeat(width - filled), "dim")];
}

/** The last values as little columns, the newest to the right. */
export function sparkline(values: readonly number[], width: number, { steps }: Glyphs): string {
  const shown = values.slice(-width);
  const top = Math.max(...shown, 1);
  return shown
    .map((value) => steps[value <= 0 ? 0 : Math.max(1, Math.round((value / top) * (steps.length - 1)))])
    .join("");
}
