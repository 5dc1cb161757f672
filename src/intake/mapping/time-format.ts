import { dayOf, daysInMonth } from "../../native/calendar.js";

/** What a text says of date and time; what its format does not have is undefined. */
interface TimeText {
  /** Days since 1970-01-01. */
  readonly day: number | undefined;
  /** Whole seconds since midnight. */
  readonly seconds: number | undefined;
  /** Digits after the point of the seconds. */
  readonly fraction: string;
  /** Seconds ahead of UTC. */
  readonly offset: number | undefined;
}

/** Reads a text; undefined if it does not follow the format or names a time that does not exist. */
export type TimeFormat = (text: string) => TimeText | undefined;

/** Seconds; no clock on Earth is further ahead of UTC or behind it than 14 hours. */
const OFFSET_MAX: number = 14 * 3600;

const DATE = "(?<YYYY>\\d{4})-(?<MM>\\d\\d)-(?<DD>\\d\\d)";
const CLOCK = "(?<HH>\\d\\d):(?<mm>\\d\\d):(?<ss>\\d\\d)(?:[.,](?<f>\\d+))?";

/** ISO 8601: `2024-08-08T23:54:15.088Z`; a blank may stand for the T, the offset may be absent. */
export const ISO_TIME: TimeFormat = reader(new RegExp(`^${DATE}[T ]${CLOCK}(?<Z>Z|[+-]\\d\\d:?\\d\\d)?$`));
/** `23:54:15`, with a fraction or without. */
export const ISO_CLOCK: TimeFormat = reader(new RegExp(`^${CLOCK}$`));
/** `2024-08-08` or `20240808`. */
export const ISO_DATE: TimeFormat = reader(/^(?<YYYY>\d{4})(?<dash>-?)(?<MM>\d\d)\k<dash>(?<DD>\d\d)$/);

const TOKENS: Readonly<Record<string, string>> = {
  YYYY: "(?<YYYY>\\d{4})",
  MM: "(?<MM>\\d\\d)",
  DD: "(?<DD>\\d\\d)",
  HH: "(?<HH>\\d\\d)",
  mm: "(?<mm>\\d\\d)",
  ss: "(?<ss>\\d\\d)",
  f: "(?<f>\\d+)",
  Z: "(?<Z>Z|[+-]\\d\\d:?\\d\\d)",
  T: "T",
};

/**
 * Compiles a format such as `DD.MM.YYYY HH:mm:ss.f`: `f` is any number of digits, `fff` exactly three, `Z` an offset, all
 * but letters stands for itself.
 *
 * @throws Error for a letter that means nothing and for a part given twice.
 */
export function compileFormat(format: string): TimeFormat {
  const source = format.replace(/YYYY|MM|DD|HH|mm|ss|f+|[A-Za-z]|[^A-Za-z]/g, (part) => {
    if (/^ff+$/.test(part)) return `(?<f>\\d{${part.length}})`;
    if (!/^[A-Za-z]/.test(part)) return part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    const token = TOKENS[part];
    if (token === undefined) throw new Error(`${part} is no part of a time format`);
    return token;
  });
  return reader(new RegExp(`^${source}$`));
}

export function isFormat(format: string): boolean {
  try {
    compileFormat(format);
    return true;
  } catch {
    return false;
  }
}

function reader(pattern: RegExp): TimeFormat {
  return (text) => {
    const parts = pattern.exec(text)?.groups as Partial<Record<string, string>> | undefined;
    if (parts === undefined) return undefined;
    const day = dayIn(parts);
    const seconds = secondsIn(parts);
    const offset = offsetIn(parts["Z"]);
    if ([day, seconds, offset].some(Number.isNaN)) return undefined;
    return { day, seconds, fraction: parts["f"] ?? "", offset };
  };
}

function dayIn(parts: Partial<Record<string, string>>): number | undefined {
  if (parts["YYYY"] === undefined) return undefined;
  const [year, month, day] = [Number(parts["YYYY"]), Number(parts["MM"] ?? 1), Number(parts["DD"] ?? 1)];
  return day >= 1 && day <= daysInMonth(year, month) ? dayOf(year, month, day) : Number.NaN;
}

function secondsIn(parts: Partial<Record<string, string>>): number | undefined {
  if (parts["HH"] === undefined) return undefined;
  const [hour, minute, second] = [Number(parts["HH"]), Number(parts["mm"] ?? 0), Number(parts["ss"] ?? 0)];
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : Number.NaN;
}

function offsetIn(text: string | undefined): number | undefined {
  if (text === undefined || text === "Z") return text === undefined ? undefined : 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  const seconds = hours * 3600 + minutes * 60;
  if (minutes > 59 || seconds > OFFSET_MAX) return Number.NaN;
  return text.startsWith("-") ? -seconds : seconds;
}
