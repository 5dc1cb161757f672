// @ts-check
/** Figures as people read them: with units, three digits where more would be noise, all of one width where they change. */

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const COUNT_UNITS = ["M", "G", "T", "P"];

/** Keeps a figure and its unit on one line. */
const SPACE = "\u00a0";

/** What stands where nothing is known. */
export const NOTHING = "–";

/**
 * `12,345`
 * @param {number | null | undefined} count
 */
export function countText(count) {
  return count === null || count === undefined ? NOTHING : COUNT.format(count);
}

/**
 * Of large counts in narrow places: `12,345`, then `1.23 M`.
 * @param {number | null | undefined} count
 */
export function shortCountText(count) {
  if (count === null || count === undefined) return NOTHING;
  if (count < 1e6) return COUNT.format(count);
  let size = count / 1e6;
  let unit = 0;
  while (size >= 999.5 && unit < COUNT_UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${threeDigits(size)}${SPACE}${COUNT_UNITS[unit]}`;
}

/**
 * Rows a second: `0.4`, `12`, `1,234`.
 * @param {number | null | undefined} perSecond
 */
export function rateText(perSecond) {
  if (perSecond === null || perSecond === undefined) return NOTHING;
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : shortCountText(perSecond);
}

/**
 * The same where there is little room: `9,999`, then `25 k`.
 * @param {number} perSecond
 */
export function shortRateText(perSecond) {
  if (perSecond < 9999.5) return rateText(perSecond);
  if (perSecond < 999_500) return `${threeDigits(perSecond / 1000)}${SPACE}k`;
  return shortCountText(Math.max(perSecond, 1e6));
}

/**
 * `15.2 MiB`
 * @param {number | null | undefined} bytes
 */
export function bytesText(bytes) {
  if (bytes === null || bytes === undefined) return NOTHING;
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : threeDigits(size)}${SPACE}${BYTE_UNITS[unit]}`;
}

/**
 * Of latencies: `850 µs`, `12 ms`, `1.25 s`, then as {@link durationText}.
 * @param {number | null | undefined} seconds
 */
export function latencyText(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds === 0) return `0${SPACE}s`;
  if (seconds < 0.9995e-3) return `${threeDigits(seconds * 1e6)}${SPACE}µs`;
  if (seconds < 0.9995) return `${threeDigits(seconds * 1e3)}${SPACE}ms`;
  return seconds < MINUTE ? `${threeDigits(seconds)}${SPACE}s` : durationText(seconds);
}

/**
 * The two largest units: `12 s`, `4 min 10 s`, `3 h 12 min`, `2 d 3 h`, `1 y 40 d`.
 * @param {number | null | undefined} seconds
 */
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole}${SPACE}s`;
  if (whole < HOUR) return two(whole, MINUTE, "min", 1, "s");
  if (whole < DAY) return two(whole, HOUR, "h", MINUTE, "min");
  return whole < YEAR ? two(whole, DAY, "d", HOUR, "h") : two(whole, YEAR, "y", DAY, "d");
}

/**
 * `37 %`; a share above nothing is never shown as none.
 * @param {number | null | undefined} share
 */
export function shareText(share) {
  if (share === null || share === undefined) return NOTHING;
  return share > 0 && share < 0.01 ? `<1${SPACE}%` : `${Math.round(share * 100)}${SPACE}%`;
}

/**
 * Time of day in UTC: `03:12:45`.
 * @param {number} at Unix seconds.
 */
export function timeText(at) {
  return new Date(at * 1000).toISOString().slice(11, 19);
}

/**
 * `2026-11-23 03:12:45`, in UTC.
 * @param {number} at Unix seconds.
 */
export function momentText(at) {
  return new Date(at * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/**
 * `1 row`, `12,345 rows`.
 * @param {number} count
 * @param {string} one
 */
export function plural(count, one) {
  return `${countText(count)} ${one}${count === 1 ? "" : "s"}`;
}

/** @param {number} size */
function threeDigits(size) {
  if (size >= 99.95) return size.toFixed(0);
  return size.toFixed(size >= 9.995 ? 1 : 2).replace(/\.?0+$/, "");
}

/**
 * @param {number} whole
 * @param {number} large
 * @param {string} largeName
 * @param {number} small
 * @param {string} smallName
 */
function two(whole, large, largeName, small, smallName) {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)}${SPACE}${largeName}${rest === 0 ? "" : ` ${rest}${SPACE}${smallName}`}`;
}
