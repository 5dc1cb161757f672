declare const brand: unique symbol;

/**
 * A point in time as one number, without allocating: microseconds since the Unix epoch, exact to the microsecond from 1970 to
 * 2112. Made by {@link ms} and {@link us} only: it is offset, so that a bare number (such as `Date.now()`) is never
 * taken for a time.
 */
export type InstantNumber = number & { readonly [brand]: "instant" };

/** Added to the microseconds: from here to 2^53 doubles are whole, and no clock in use counts in this range. */
export const INSTANT_BASE: number = 2 ** 52;
export const INSTANT_END: number = 2 ** 53;

/** A time in milliseconds since the Unix epoch, such as `Date.now()`; fractions are kept to the microsecond. */
export function ms(milliseconds: number): InstantNumber {
  return (Math.round(milliseconds * 1000) + INSTANT_BASE) as InstantNumber;
}

/** A time in microseconds since the Unix epoch. */
export function us(microseconds: number): InstantNumber {
  return (microseconds + INSTANT_BASE) as InstantNumber;
}
