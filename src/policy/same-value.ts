/** A decimal without sign of zeros that say nothing: `1.50` and `1.5`, `-0` and `0` are one. */
function plain(value: unknown): string {
  const text = String(value);
  const short = /^[+-]?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}

/** Whether two values of a column are the same, in whatever form they were given. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((element, index) => isSameValue(element, b[index]));
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (typeof a === "number" && typeof b === "number") return false;
  return !Array.isArray(a) && !Array.isArray(b) && plain(a) === plain(b);
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
