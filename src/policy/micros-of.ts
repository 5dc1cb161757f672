import { Instant } from "../native/instant.js";
import { Micros } from "../native/micros.js";

/** Times further from 1970 are in no column of nanoseconds, nor may a gap name them. */
const MICROS_MOST = 9e15;

const instant = new Instant();

/** Microseconds since the Unix epoch of what a time column takes; NaN for what it does not. */
export function microsOf(value: unknown): number {
  const micros = value instanceof Micros ? value.micros : readMicros(value);
  return Math.abs(micros) <= MICROS_MOST ? micros : Number.NaN;
}

function readMicros(value: unknown): number {
  try {
    instant.read(value, 9);
  } catch {
    // The column itself will refuse it, and say why.
    return Number.NaN;
  }
  return instant.seconds * 1e6 + instant.fraction / 1000;
}
