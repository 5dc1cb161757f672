/** What the columns of a row take; `docs/reference/formats/native.md` tells how each is read. */

import type { InstantNumber } from "../native/instant-number.js";

/**
 * A point in time: nanoseconds since the Unix epoch, a Date, ISO-8601 text with up to nine digits of a second, or what
 * `ms` and `us` make of a number.
 */
export type TimeValue = bigint | Date | string | InstantNumber;

/** A decimal: text keeps every digit, a bigint is whole units, a number is rounded correctly to the column's scale. */
export type DecimalValue = string | number | bigint;

/** A 64-bit integer; a number must be a safe integer. */
export type IntegerValue = bigint | number | string;
