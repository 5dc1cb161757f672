/** Sizes, durations and shares as configuration writes them ("8MiB", "250ms", "90%") and as code counts them (bytes, milliseconds, 0.9). */

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

export const SECOND_MS = 1000;
export const MINUTE_MS: number = 60 * SECOND_MS;
export const HOUR_MS: number = 60 * MINUTE_MS;
export const DAY_MS: number = 24 * HOUR_MS;

const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: KIB, MiB: MIB, GiB: GIB, TiB: 1024 * GIB };
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  y: 365 * DAY_MS,
};

function parseWith(units: Readonly<Record<string, number>>, text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match && Object.hasOwn(units, match[2]!) ? units[match[2]!]! : undefined;
  const value = factor === undefined ? Number.NaN : Number(match![1]) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatWith(units: Readonly<Record<string, number>>, value: number): string {
  let best = "";
  for (const [unit, factor] of Object.entries(units)) {
    if (value === 0 || value % factor === 0) best = `${value / factor}${unit}`;
    if (value === 0) break;
  }
  return best;
}

/** Bytes of a size such as `8MiB` (units B, KiB, MiB, GiB, TiB), or undefined when it is not one. */
export function parseSize(text: string): number | undefined {
  return parseWith(SIZE_UNITS, text);
}

/** Milliseconds of a duration such as `250ms` (units ms, s, m, h, d, y = 365 d), or undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  return parseWith(DURATION_UNITS, text);
}

/** The shortest exact form that {@link parseSize} reads back. */
export function formatSize(bytes: number): string {
  return formatWith(SIZE_UNITS, bytes);
}

/** The shortest exact form that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  return formatWith(DURATION_UNITS, ms);
}

/** The share that a percentage such as `90%` means, 0.9; undefined when it is not one. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d{1,2}|100)\s*%$/.exec(text.trim());
  return match === null ? undefined : Number(match[1]) / 100;
}

/** The form that {@link parsePercent} reads back. */
export function formatPercent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
