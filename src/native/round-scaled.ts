import { Refusal } from "./refusal.js";

const FRACTION_BITS = 52n;
const EXPONENT_BIAS = 1075;
const bits: DataView = new DataView(new ArrayBuffer(8));

/**
 * The exact value of the double times 10^scale, rounded to the nearest whole number, ties to even.
 * @throws Refusal for NaN and the infinities.
 */
export function roundScaled(value: number, scale: number): bigint {
  if (!Number.isFinite(value)) throw new Refusal("is not a finite number", value);
  bits.setFloat64(0, Math.abs(value));
  const word = bits.getBigUint64(0);
  const biased = Number(word >> FRACTION_BITS);
  const stored = word & ((1n << FRACTION_BITS) - 1n);
  const mantissa = biased === 0 ? stored : stored | (1n << FRACTION_BITS);
  const exponent = Math.max(biased, 1) - EXPONENT_BIAS;
  const numerator = mantissa * 10n ** BigInt(scale);
  const magnitude =
    exponent >= 0 ? numerator << BigInt(exponent) : shiftToNearest(numerator, BigInt(-exponent));
  return value < 0 ? -magnitude : magnitude;
}

function shiftToNearest(numerator: bigint, count: bigint): bigint {
  const quotient = numerator >> count;
  const rest = numerator & ((1n << count) - 1n);
  const half = 1n << (count - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}
