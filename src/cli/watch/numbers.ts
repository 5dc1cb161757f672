import { GIB, KIB, MIB } from "../../base/units.js";

/** A count in at most six columns: `12,345`, `123k`, `1.2M`, `45M`, `2.1G`. */
export function countText(count: number): string {
  const whole = Math.round(count);
  if (whole < 100_000) return whole.toLocaleString("en-US");
  for (const [unit, size] of COUNTS) if (whole < 1000 * size) return short(whole / size) + unit;
  return whole.toExponential(1);
}

const COUNTS = [
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
] as const;

/** `0 MiB`, `1.2 GiB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 1024 * GIB) return `${short(bytes / (1024 * GIB))} TiB`;
  if (bytes >= GIB) return `${short(bytes / GIB)} GiB`;
  return bytes > 0 && bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${Math.round(bytes / MIB)} MiB`;
}

export function percentText(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** How old something is: `0.3 s`, `45 s`, `12 min`, `3 h`. */
export function ageText(seconds: number | undefined): string {
  if (seconds === undefined) return "-";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** `HH:MM:SS` of the operator's own clock. */
export function clockText(unixSeconds: number): string {
  return new Date(1000 * unixSeconds).toTimeString().slice(0, 8);
}

function short(value: number): string {
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
