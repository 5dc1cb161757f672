import { z } from "zod";
import {
  DAY_MS,
  formatDuration,
  formatPercent,
  formatSize,
  GIB,
  KIB,
  parseDuration,
  parsePercent,
  parseSize,
} from "../base/units.js";

/** Kinds of values that keys take, each with what is allowed in its message. */

function withUnit(
  what: string,
  parse: (text: string) => number | undefined,
  format: (value: number) => string,
  min: number,
  max: number,
) {
  const allowed = `${what}, from ${format(min)} to ${format(max)}`;
  return z
    .custom<string>((value) => typeof value === "string" && parse(value) !== undefined, { error: allowed })
    .transform((text) => parse(text)!)
    .refine((value) => value >= min && value <= max, { error: allowed })
    .meta({ format });
}

/** A size with unit, resolved to bytes. */
export function size(fallback: string, min: number = KIB, max: number = 1024 * GIB) {
  return withUnit("a size with unit (B, KiB, MiB, GiB, TiB)", parseSize, formatSize, min, max).prefault(
    fallback,
  );
}

/** A duration with unit and without a default, resolved to milliseconds. */
export function someDuration(min = 1, max: number = 100 * 365 * DAY_MS) {
  return withUnit("a duration with unit (ms, s, m, h, d, y)", parseDuration, formatDuration, min, max);
}

/** A duration with unit, resolved to milliseconds. */
export function duration(fallback: string, min?: number, max?: number) {
  return someDuration(min, max).prefault(fallback);
}

/** A percentage without a default, resolved to a share between 0 and 1. */
export function somePercent(min: number, max: number) {
  return withUnit("a percentage (%)", parsePercent, formatPercent, min, max);
}

/** A percentage, resolved to a share between 0 and 1. */
export function percent(fallback: string, min: number, max: number) {
  return somePercent(min, max).prefault(fallback);
}

/** A whole number. */
export function count(fallback: number, min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).prefault(fallback);
}

/** A text that is not empty; `what` it is, for people. */
export function text(what: string) {
  return z.string({ error: what }).min(1, { error: what });
}
