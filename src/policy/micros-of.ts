import { Instant } from "../native/instant.js";
import { Micros } from "../native/micros.js";

const instant = new Instant();

/** Microseconds since the Unix epoch of what a time column takes; NaN for what it does not. */
export function microsOf(value: unknown): number {
  if (value instanceof Micros) return value.micros;
  try {
    instant.read(value, 9);
  } catch {
    // The column itself will refuse it, and say why.
    return Number.NaN;
  }
  return instant.seconds * 1e6 + instant.fraction / 1000;
}
