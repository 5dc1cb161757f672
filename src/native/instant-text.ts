import { dayOf, daysInMonth, SECONDS_PER_DAY } from "./calendar.js";
import { Refusal } from "./refusal.js";

const ZERO = 48;
/** Why text is refused that is no time at all. */
export const NOT_A_TIME = "is not a time such as 2024-08-08T23:54:15.088165267Z";

/** Where {@link readInstant} puts what it read. */
export interface InstantParts {
  /** Whole Unix seconds, rounded down. */
  seconds: number;
  /** What is left, in units of 10^-digits seconds. */
  fraction: number;
}

/**
 * Reads `YYYY-MM-DD`, `T` or a blank, `hh:mm:ss`, a fraction, then `Z`, `±hh:mm` or nothing, which means UTC.
 * @throws Refusal for other text, dates that do not exist and fractions finer than `digits` places.
 */
export function readInstant(text: string, digits: number, into: InstantParts): void {
  const day = readDay(text, 0);
  const separator = text.charAt(10);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const separated = separator === "T" || separator === " " || separator === "t";
  const colons = text.charAt(13) === ":" && text.charAt(16) === ":";
  if (!separated || !colons || hour < 0 || minute < 0 || second < 0) throw new Refusal(NOT_A_TIME, text);
  if (hour > 23 || minute > 59 || second > 59)
    throw new Refusal("has a time of day that does not exist", text);
  const end = readFraction(text, 19, digits, into);
  into.seconds = day * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offsetSeconds(text, end);
}

/** Gives the place after the fraction. */
function readFraction(text: string, start: number, digits: number, into: InstantParts): number {
  into.fraction = 0;
  const point = text.charAt(start);
  if (point !== "." && point !== ",") return start;
  let fraction = 0;
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    if (at - start <= digits) fraction = fraction * 10 + digit;
    else if (digit !== 0) throw new Refusal(finerReason(digits), text);
  }
  if (at === start + 1) throw new Refusal(NOT_A_TIME, text);
  for (let place = at - start; place <= digits; place += 1) fraction *= 10;
  into.fraction = fraction;
  return at;
}

/** Why a time finer than its column is refused. */
export function finerReason(digits: number): string {
  return digits === 0 ? "has a fraction of a second" : `is finer than ${digits} decimal places of a second`;
}

/**
 * The Unix day of the ten characters `YYYY-MM-DD` at `at`.
 * @throws Refusal if they are no date, or one that does not exist.
 */
export function readDay(text: string, at: number): number {
  const century = twoDigits(text, at);
  const yearOfCentury = twoDigits(text, at + 2);
  const month = twoDigits(text, at + 5);
  const day = twoDigits(text, at + 8);
  const dashes = text.charAt(at + 4) === "-" && text.charAt(at + 7) === "-";
  if (!dashes || century < 0 || yearOfCentury < 0 || month < 0 || day < 0)
    throw new Refusal(NOT_A_TIME, text);
  const year = century * 100 + yearOfCentury;
  if (day < 1 || day > daysInMonth(year, month)) throw new Refusal("is a date that does not exist", text);
  return dayOf(year, month, day);
}

/** `Z`, `±hh:mm`, `±hhmm`, `±hh` or nothing, up to the end of the text. */
function offsetSeconds(text: string, at: number): number {
  const { length } = text;
  const sign = text.charAt(at);
  if (at === length || ((sign === "Z" || sign === "z") && at + 1 === length)) return 0;
  const match = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(text.slice(at));
  const hours = Number(match?.[2]);
  const minutes = Number(match?.[3] ?? 0);
  if (!match || hours > 23 || minutes > 59) throw new Refusal(NOT_A_TIME, text);
  return (sign === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/** The number of two digits, or a negative one if they are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}
