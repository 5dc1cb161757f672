import type { Row } from "../native/block.js";
import { Micros } from "../native/micros.js";

/** A row that stays as it is when the caller uses its own, with its lists and times, again. */
export function copyRow(row: Row): Row {
  const copy: Record<string, unknown> = {};
  for (const name in row) copy[name] = copyValue(row[name]);
  return copy;
}

export function copyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValue);
  return value instanceof Micros ? new Micros(value.micros, value.nanos) : value;
}
