/**
 * 64-bit and wider integers as little-endian 32-bit words of an Int32Array, so that no value needs a BigInt that fits
 * two numbers.
 */

const WORD = 0x1_0000_0000;

/** 10^0 … 10^22, all exact as doubles. */
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) =>
  Number(`1e${power}`),
);
/** The same modulo 2^32, for `Math.imul`. */
const POWERS_MODULO: Int32Array = Int32Array.from(POWERS_OF_TEN, (power) =>
  Number(BigInt.asIntN(32, BigInt(power))),
);

/** Values whose magnitude as a double is at most this are below 2^63 for certain. */
export const SURELY_INT64 = 9.223372036854e18;

/** Stores a whole number of magnitude up to 2^53 in `words` words from word `at`. */
export function storeNumber(target: Int32Array, at: number, words: number, value: number): void {
  target[at] = value | 0;
  const high = Math.floor(value / WORD) | 0;
  target[at + 1] = high;
  for (let word = 2; word < words; word += 1) target[at + word] = high >> 31;
}

/**
 * Stores `high * 10^power + low`, all whole, low below 2^53, the sum below {@link SURELY_INT64}.
 * The low word is exact in modular arithmetic; the sum as a double is off by at most 2^11, which rounding the high word
 * to the nearest takes away.
 */
export function storeSum(
  target: Int32Array,
  at: number,
  words: number,
  high: number,
  power: number,
  low: number,
): void {
  const lowWord = (Math.imul(high | 0, POWERS_MODULO[power]!) + (low | 0)) | 0;
  const sum = high * POWERS_OF_TEN[power]! + low;
  const highWord = Math.round((sum - (lowWord >>> 0)) / WORD) | 0;
  target[at] = lowWord;
  target[at + 1] = highWord;
  for (let word = 2; word < words; word += 1) target[at + word] = highWord >> 31;
}

/** Stores a bigint that is known to fit. */
export function storeBigint(target: Int32Array, at: number, words: number, value: bigint): void {
  let rest = value;
  for (let word = 0; word < words; word += 1) {
    target[at + word] = Number(BigInt.asIntN(32, rest));
    rest >>= 32n;
  }
}

/** Reads back what was stored. */
export function loadBigint(source: Int32Array, at: number, words: number, signed: boolean): bigint {
  let value = 0n;
  for (let word = words - 1; word >= 0; word -= 1) value = (value << 32n) | BigInt(source[at + word]! >>> 0);
  return signed ? BigInt.asIntN(words * 32, value) : value;
}

/** `floor(value / 10^power)` of a stored Int64 whose quotient is below 2^53, for powers up to 9. */
export function floorQuotient(source: Int32Array, at: number, power: number): number {
  const low = source[at]!;
  const divisor = POWERS_OF_TEN[power]!;
  const quotient = Math.floor((source[at + 1]! * WORD + (low >>> 0)) / divisor);
  // The dividend as a double is off by at most 2^10, so the remainder, exact modulo 2^32, tells which neighbour is right.
  const remainder = (low - Math.imul(quotient | 0, divisor | 0)) | 0;
  if (remainder < 0) return quotient - 1;
  return remainder >= divisor ? quotient + 1 : quotient;
}
