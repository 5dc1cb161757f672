import type { Row } from "../native/block.js";
import { NumberText } from "../native/number-text.js";
import type { RowMaker } from "./mapping/compile.js";

/**
 * For lines that were made of a program's values: a number in them was a double, and is taken as one, as by a ring. Only then does a
 * price such as 61830.170000000006 mean the same on both ways.
 */
export function givenDoubles(makeRow: RowMaker): RowMaker {
  return (record) => doublesIn(makeRow(record)) as Row;
}

function doublesIn(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (Array.isArray(value)) return value.map(doublesIn);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, doublesIn(inner)]));
}
