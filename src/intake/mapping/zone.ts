import { SECONDS_PER_DAY } from "../../native/calendar.js";

/** What to do with a local time that a clock change gives twice or not at all. */
export type DstRule = "refuse" | "earlier" | "later";

/** Turns local times into UTC. Both count seconds from 1970-01-01 00:00:00, the local one as its clock shows it. */
export interface Zone {
  /** UTC seconds, or why the local time has none. */
  utc(local: number): number | string;
}

/**
 * A zone by name: `UTC`, a fixed offset from it (`UTC-5`, `UTC+05:30`, `-05:00`), or an IANA name (`America/New_York`).
 *
 * @throws RangeError for any other name.
 */
export function zoneOf(name: string, dst: DstRule): Zone {
  const offset = fixedOffset(name);
  if (offset !== undefined) return { utc: (local) => local - offset };
  return new ClockZone(name, dst);
}

export function isZone(name: string): boolean {
  try {
    zoneOf(name, "refuse");
    return true;
  } catch {
    return false;
  }
}

/** Seconds ahead of UTC. */
function fixedOffset(name: string): number | undefined {
  if (/^(UTC|Z)$/i.test(name)) return 0;
  const match = /^(?:UTC)?([+-])(\d{1,2})(?::([0-5]\d))?$/i.exec(name);
  const hours = Number(match?.[2]);
  if (match === null || hours > 14) return undefined;
  return (match[1] === "-" ? -1 : 1) * (hours * 3600 + Number(match[3] ?? 0) * 60);
}

/** A zone whose clock is changed now and then, by the time zone data of Node. */
class ClockZone implements Zone {
  readonly #name: string;
  readonly #dst: DstRule;
  readonly #clock: Intl.DateTimeFormat;
  /** The last day asked for, and the offset that holds all over it, if one does. */
  #day = Number.NaN;
  #offset: number | undefined;

  constructor(name: string, dst: DstRule) {
    this.#name = name;
    this.#dst = dst;
    this.#clock = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  utc(local: number): number | string {
    const day = Math.floor(local / SECONDS_PER_DAY);
    if (day !== this.#day) {
      const [before, after] = this.#around(day * SECONDS_PER_DAY);
      this.#day = day;
      this.#offset = before === after ? before : undefined;
    }
    return this.#offset === undefined ? this.#onChange(local) : local - this.#offset;
  }

  /** The offsets a day before and two days after a local time; no zone changes its clock twice within three days. */
  #around(local: number): [before: number, after: number] {
    return [this.#offsetAt(local - SECONDS_PER_DAY), this.#offsetAt(local + 2 * SECONDS_PER_DAY)];
  }

  /** A local time near a clock change: it is real under each offset that holds at the instant it gives. */
  #onChange(local: number): number | string {
    const [before, after] = this.#around(local);
    const first = local - before;
    const second = local - after;
    const isFirst = this.#offsetAt(first) === before;
    const isSecond = this.#offsetAt(second) === after;
    if (isFirst !== isSecond || before === after) return isFirst ? first : second;
    if (this.#dst === "earlier") return Math.min(first, second);
    if (this.#dst === "later") return Math.max(first, second);
    return isFirst
      ? `happens twice in ${this.#name}, where the clock is set back: set dst to earlier or later`
      : `does not happen in ${this.#name}, where the clock is set forward: set dst to earlier or later`;
  }

  /** Seconds ahead of UTC at an instant. */
  #offsetAt(utc: number): number {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#clock.formatToParts(utc * 1000)) part[type] = Number(value);
    const { year, month, day, hour, minute, second } = part;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) / 1000 - utc;
  }
}
