import { INSTANT_BASE, INSTANT_END } from "./instant-number.js";
import { finerReason, type InstantParts, NOT_A_TIME, readInstant } from "./instant-text.js";
import { Micros } from "./micros.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";
import { readExact } from "./scaled-text.js";

const DASH = 45;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
/** A bare integer with fewer digits lies within three years of 1970 as nanoseconds: it is meant as milliseconds. */
export const BARE_DIGITS = 18;
const LEAST_BARE: bigint = 10n ** BigInt(BARE_DIGITS - 1);

/**
 * A point in time out of anything a time column takes: bigint nanoseconds, {@link Micros}, a number of `ms` or
 * `us`, a Date, time text (see `readInstant`), or a bare integer as text, which is nanoseconds too. A bare JS number has
 * no unit and is refused.
 */
export class Instant implements InstantParts {
  seconds = 0;
  fraction = 0;

  /** @throws Refusal, also for times finer than 10^-digits seconds. */
  read(value: unknown, digits: number): void {
    const bare = bareText(value);
    if (bare !== undefined) this.#split(nanosecondsOfText(bare), digits, value);
    else if (typeof value === "string") readInstant(value, digits, this);
    else if (typeof value === "bigint") this.#split(value, digits, value);
    else if (value instanceof Micros) this.#split(value.nanoseconds(), digits, value);
    else if (value instanceof Date) this.#split(nanosecondsOfDate(value), digits, value);
    else if (typeof value === "number") this.#split(nanosecondsOfNumber(value), digits, value);
    else refuseKind(value, "a time");
  }

  #split(nanoseconds: bigint, digits: number, value: unknown): void {
    const rest = ((nanoseconds % NANOSECONDS_PER_SECOND) + NANOSECONDS_PER_SECOND) % NANOSECONDS_PER_SECOND;
    const tick = 10n ** BigInt(9 - digits);
    if (rest % tick !== 0n) throw new Refusal(finerReason(digits), value);
    this.seconds = Number((nanoseconds - rest) / NANOSECONDS_PER_SECOND);
    this.fraction = Number(rest / tick);
  }
}

/** The text of a value that is not shaped like date and time, so must be an integer; undefined for all else. */
export function bareText(value: unknown): string | undefined {
  if (value instanceof NumberText) return value.text;
  return typeof value === "string" && value.charCodeAt(4) !== DASH ? value : undefined;
}

/** Microseconds since the Unix epoch of a number made by `ms` or `us`; any other number has no unit. */
export function microsOfNumber(value: number): number {
  if (value >= INSTANT_BASE && value < INSTANT_END) return value - INSTANT_BASE;
  throw new Refusal("is a bare number without a unit: use ms(…) or us(…)", value);
}

function nanosecondsOfNumber(value: number): bigint {
  return BigInt(microsOfNumber(value)) * 1000n;
}

function nanosecondsOfText(text: string): bigint {
  if (!/^-?\d/.test(text)) throw new Refusal(NOT_A_TIME, text);
  const nanoseconds = readExact(text, 0);
  if (nanoseconds < LEAST_BARE && nanoseconds > -LEAST_BARE) {
    throw new Refusal("looks like milliseconds: a bare integer is nanoseconds", text);
  }
  return nanoseconds;
}

function nanosecondsOfDate(date: Date): bigint {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new Refusal("is an invalid Date", date);
  return BigInt(milliseconds) * NANOSECONDS_PER_MILLISECOND;
}
