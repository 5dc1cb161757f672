import { ValueError } from "../../native/block.js";
import { SECONDS_PER_DAY } from "../../native/calendar.js";
import { NumberText } from "../../native/number-text.js";
import { wholeUnits } from "./decimal-text.js";
import type { Reader } from "./record.js";
import { Rollover } from "./rollover.js";
import type { TimeSpec } from "./schema.js";
import { compileFormat, ISO_CLOCK, ISO_DATE, ISO_TIME, type TimeFormat } from "./time-format.js";
import { type Zone, zoneOf } from "./zone.js";

/** Decimal places between a unit and the nanosecond. */
const UNIT_PLACES = { s: 9, ms: 6, us: 3, ns: 0 } as const;
const NS_PLACES = 9;
const NS_PER_SECOND = 1_000_000_000;
const DAY_NS: number = SECONDS_PER_DAY * NS_PER_SECOND;
const NS_PER_MS = 1_000_000;
/** Shorter texts of digits are taken for milliseconds by the column writers. */
const SAFE_DIGITS = 18;

/** The parts of a time spec that come from the record or the file's name, resolved for one file. */
export interface TimeSources {
  readonly time: Reader;
  readonly date: Reader | undefined;
  /** True if the date is the same for the whole file. */
  readonly dateIsFixed: boolean;
  readonly zone: string | undefined;
}

/**
 * A reader that gives nanoseconds since 1970 as digits or a bigint, exact to the last digit the source has. It must see
 * every record of a file in order if the spec has days roll over.
 *
 * @throws ValueError from the reader, naming `column`.
 */
export function timeReader(column: string, spec: TimeSpec, sources: TimeSources): Reader {
  if (spec.date === undefined && spec.unit !== undefined) return epochReader(column, spec, sources.time);
  const zone = sources.zone === undefined ? undefined : zoneOf(sources.zone, spec.dst);
  return sources.date === undefined
    ? textReader(column, spec, sources.time, zone)
    : dateAndClockReader(column, spec, sources, zone!);
}

/** A count of units since 1970. */
function epochReader(column: string, spec: TimeSpec, time: Reader): Reader {
  const places = UNIT_PLACES[spec.unit!];
  const zeros = "0".repeat(places);
  return (record) => {
    const text = textOf(column, time(record));
    if (text === undefined) return undefined;
    const digits = /^\d+$/.test(text) ? text + zeros : nanoseconds(column, text, places, spec);
    return digits.length >= SAFE_DIGITS ? digits : BigInt(digits);
  };
}

/** Date and time in one text. */
function textReader(column: string, spec: TimeSpec, time: Reader, zone: Zone | undefined): Reader {
  const format = spec.format === undefined ? ISO_TIME : compileFormat(spec.format);
  return (record) => {
    const text = textOf(column, time(record));
    if (text === undefined) return undefined;
    const { day, seconds = 0, fraction, offset } = read(column, format, text, "a time", spec.format);
    const clock = seconds * NS_PER_SECOND + Number(nanoseconds(column, `0.${fraction}`, NS_PLACES, spec));
    return instant(column, text, day!, clock, offset, zone);
  };
}

/** A date from one place and a time of day from another. */
function dateAndClockReader(column: string, spec: TimeSpec, sources: TimeSources, zone: Zone): Reader {
  const format = spec.format === undefined ? ISO_CLOCK : compileFormat(spec.format);
  const clockOf = (text: string): { clock: number; offset: number | undefined } => {
    if (spec.unit !== undefined) {
      const places = UNIT_PLACES[spec.unit];
      const clock = Number(nanoseconds(column, text, places, spec));
      // Cut, not rounded: the last instant of a day may round to the first of the next, as it does with a date in the text.
      const cut = Number(wholeUnits(text, places, "truncate"));
      if (clock < 0 || cut >= DAY_NS) throw new ValueError(column, "is outside the 24 hours of a day", text);
      return { clock, offset: undefined };
    }
    const { seconds = 0, fraction, offset } = read(column, format, text, "a time of day", spec.format);
    return {
      clock: seconds * NS_PER_SECOND + Number(nanoseconds(column, `0.${fraction}`, NS_PLACES, spec)),
      offset,
    };
  };
  const dateOf = dayReader(column, spec, sources);
  return (record) => {
    const text = textOf(column, sources.time(record));
    if (text === undefined) return undefined;
    const { clock, offset } = clockOf(text);
    const day = dateOf(record, clock);
    return day === undefined ? undefined : instant(column, text, day, clock, offset, zone);
  };
}

type DayReader = (record: Parameters<Reader>[0], clock: number) => number | undefined;

function dayReader(column: string, spec: TimeSpec, sources: TimeSources): DayReader {
  const format = spec.date_format === undefined ? ISO_DATE : compileFormat(spec.date_format);
  const day: DayReader = (record) => {
    const text = textOf(column, sources.date!(record));
    return text === undefined ? undefined : read(column, format, text, "a date", spec.date_format).day;
  };
  if (!sources.dateIsFixed) return day;
  const fixed = day({}, 0)!;
  if (spec.rollover === undefined) return () => fixed;
  const rollover = new Rollover(fixed, spec.rollover * NS_PER_MS);
  return (_record, clock) => rollover.dayOf(clock);
}

function instant(
  column: string,
  text: string,
  day: number,
  clock: number,
  offset: number | undefined,
  zone: Zone | undefined,
): string | bigint {
  const rest = clock % NS_PER_SECOND;
  const local = day * SECONDS_PER_DAY + (clock - rest) / NS_PER_SECOND;
  if (offset === undefined && zone === undefined) {
    throw new ValueError(column, "has no offset from UTC, and the mapping gives no zone", text);
  }
  const utc = offset === undefined ? zone!.utc(local) : local - offset;
  if (typeof utc === "string") throw new ValueError(column, utc, text);
  const digits = `${utc}${String(NS_PER_SECOND + rest).slice(1)}`;
  if (utc > 0 && digits.length >= SAFE_DIGITS) return digits;
  return BigInt(utc) * BigInt(NS_PER_SECOND) + BigInt(rest);
}

function read(
  column: string,
  format: TimeFormat,
  text: string,
  what: string,
  pattern: string | undefined,
): NonNullable<ReturnType<TimeFormat>> {
  const parts = format(text);
  if (parts !== undefined) return parts;
  throw new ValueError(column, `is not ${what}${pattern === undefined ? "" : ` like ${pattern}`}`, text);
}

/** Text as a whole number of nanoseconds. */
function nanoseconds(column: string, text: string, places: number, spec: TimeSpec): string {
  const units = wholeUnits(text, places, spec.fraction);
  if (units === undefined) throw new ValueError(column, `is not a number of ${spec.unit}`, text);
  if (units !== null) return units;
  throw new ValueError(column, "is finer than a nanosecond: set fraction to round or truncate", text);
}

/** Times come as text or as JSON numbers; a missing one and null are left to the column. */
function textOf(column: string, value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof NumberText) return value.text;
  if (value === undefined || value === null) return undefined;
  throw new ValueError(column, "is neither a text nor a number", value);
}
