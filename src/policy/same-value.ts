import { Micros } from "../native/micros.js";
import { NumberText } from "../native/number-text.js";

/** A decimal without sign of zeros that say nothing: `1.50` and `1.5`, `-0` and `0` are one. */
function plain(value: unknown): string {
  const text = String(value);
  const short = /^[+-]?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}

/** Whether two values of a column are the same, in whatever form they were given; false where that is not certain. */
export function isSameValue(a: unknown, b: unknown, isText = false): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((element, index) => isSameValue(element, b[index], isText));
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (a instanceof Micros && b instanceof Micros) return a.micros === b.micros && a.nanos === b.nanos;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (typeof a === "number" && typeof b === "number") return false;
  const [x, y] = [scalar(a), scalar(b)];
  if (typeof x === "object" || typeof y === "object") return false;
  return isText ? x === y : plain(x) === plain(y);
}

function scalar(value: unknown): unknown {
  return value instanceof NumberText ? value.text : value;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
