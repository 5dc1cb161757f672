import { Refusal } from "./refusal.js";

/** Microseconds whose nanoseconds fit 63 bits for certain. */
const SURE_MICROS = 9e15;
const NANOS_MAX = 999;

/**
 * A point in time as two numbers, which a time column takes without a bigint: microseconds since the Unix epoch and
 * nanoseconds on top, 0 to 999. It may be changed and given again.
 */
export class Micros {
  micros: number;
  nanos: number;

  constructor(micros: number, nanos: number) {
    this.micros = micros;
    this.nanos = nanos;
  }

  /** @throws Refusal unless both are whole numbers in range */
  checked(): this {
    const { micros, nanos } = this;
    // An invalid Date has arrived here as NaN.
    if (!Number.isInteger(micros) || Math.abs(micros) > SURE_MICROS)
      throw new Refusal("is not a time", Number.isNaN(micros) ? "an invalid Date" : micros);
    if (!Number.isInteger(nanos) || nanos < 0 || nanos > NANOS_MAX)
      throw new Refusal("is not a number of nanoseconds from 0 to 999", nanos);
    return this;
  }

  /** @throws Refusal as {@link checked} */
  nanoseconds(): bigint {
    this.checked();
    return BigInt(this.micros) * 1000n + BigInt(this.nanos);
  }

  /** As a row's text shows it. */
  toJSON(): string {
    return `${this.micros} us + ${this.nanos} ns`;
  }
}
