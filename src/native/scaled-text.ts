import { Refusal } from "./refusal.js";
import { POWERS_OF_TEN, SURELY_INT64 } from "./words.js";

const ZERO = 48;
const MINUS = 45;
const POINT = 46;
/** Nothing longer is a number, and no power of ten beyond fits a type: both bound the work on text from anywhere. */
const MAX_LENGTH = 1000;
const MAX_SHIFT = 1000;

/** What {@link ScaledText.read} found: the text times 10^scale is `high * 10^power + low`, exactly. */
export class ScaledText {
  high = 0;
  low = 0;
  power = 0;
  /** Decimal digits of the scaled value without leading zeros; 0 for zero. */
  digits = 0;

  /** The scaled value as the nearest double: exact up to 15 digits. */
  toNumber(): number {
    return this.high * POWERS_OF_TEN[this.power]! + this.low;
  }

  /**
   * Reads plain decimal text of up to 19 digits, which is nearly all there is. False means: not such a text, or not
   * certain to fit an Int64; {@link readExact} has the last word then.
   */
  read(text: string, scale: number): boolean {
    const { length } = text;
    let high = 0;
    let low = 0;
    let digits = 0;
    let fraction = -1;
    const negative = length > 0 && text.charCodeAt(0) === MINUS;
    const start = negative ? 1 : 0;
    if (start === length) return false;
    for (let at = start; at < length; at += 1) {
      const code = text.charCodeAt(at);
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) {
        if (code !== POINT || fraction >= 0 || length === start + 1) return false;
        fraction = 0;
        continue;
      }
      if (fraction >= 0) {
        if (fraction === scale) {
          if (digit !== 0) return false;
          continue;
        }
        fraction += 1;
      }
      if (digits < 9) {
        high = high * 10 + digit;
        if (high !== 0) digits += 1;
      } else {
        low = low * 10 + digit;
        digits += 1;
      }
    }
    return this.#scale(high, low, digits, scale - Math.max(fraction, 0), negative);
  }

  #scale(high: number, low: number, digits: number, pad: number, negative: boolean): boolean {
    const power = Math.max(digits - 9, 0) + pad;
    if (high === 0) {
      this.high = this.low = this.power = this.digits = 0;
      return true;
    }
    if (digits + pad > 19) return false;
    const scaledLow = low * POWERS_OF_TEN[pad]!;
    if (high * POWERS_OF_TEN[power]! + scaledLow > SURELY_INT64) return false;
    this.high = negative ? 0 - high : high;
    this.low = negative ? 0 - scaledLow : scaledLow;
    this.power = power;
    this.digits = digits + pad;
    return true;
  }
}

/**
 * The exact value of a decimal text (`-1.50`, `.5`, `1e-7`) times 10^scale.
 * @throws Refusal if it is no decimal number or not a whole one after scaling.
 */
export function readExact(text: string, scale: number): bigint {
  if (text.length > MAX_LENGTH) throw new Refusal("is too long for a number", text);
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  const whole = match?.[2] ?? "";
  const fraction = match?.[3] ?? "";
  if (!match || whole.length + fraction.length === 0) throw new Refusal("is not a decimal number", text);
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return 0n;
  const shift = Number(match[4] ?? 0) - fraction.length + scale + (digits.length - significant.length);
  if (shift < 0) throw new Refusal(fractionReason(scale), text);
  if (shift > MAX_SHIFT) throw new Refusal("is out of range", text);
  const magnitude = BigInt(significant) * 10n ** BigInt(shift);
  return match[1] === "-" ? -magnitude : magnitude;
}

/** Why a value finer than the scale is refused. */
function fractionReason(scale: number): string {
  return scale === 0 ? "is not a whole number" : `has more than ${scale} decimal places`;
}
