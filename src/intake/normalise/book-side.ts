import { ValueError } from "../../native/block.js";
import { NumberText } from "../../native/number-text.js";
import type { GivenRow } from "./table-normaliser.js";

/** The columns of one side of a book. */
export interface BookSide {
  /** What a producer may give in place of the columns. */
  readonly levels: "bids" | "asks";
  readonly px: string;
  readonly sz: string;
  readonly px1: string;
  readonly sz1: string;
  /** Prices fall from level to level. */
  readonly isFalling: boolean;
}

/**
 * Makes the levels of a side columns: prices and sizes to the depth, and the first level beside them. A side is stored as it came:
 * one that is not best first is refused, since to sort it would be to guess what it is.
 *
 * @throws ValueError
 */
export function normaliseSide(row: GivenRow, side: BookSide, depth: number): void {
  const levels = row[side.levels];
  if (levels !== undefined) {
    if (row[side.px] !== undefined || row[side.sz] !== undefined)
      throw new ValueError(side.levels, `is given beside ${side.px} and ${side.sz}`, levels);
    readLevels(row, side, levels, depth);
  } else if (row[side.px] !== undefined) cutColumns(row, side, depth);
  else return;
  if (row[side.px1] !== undefined || row[side.sz1] !== undefined) return;
  row[side.px1] = firstOf(row[side.px]);
  row[side.sz1] = firstOf(row[side.sz]);
}

/** What is no list is left to its column, which refuses it. */
function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}

function readLevels(row: GivenRow, side: BookSide, levels: unknown, depth: number): void {
  if (!Array.isArray(levels)) throw new ValueError(side.levels, "is not a list of levels", levels);
  const count = Math.min(levels.length, depth);
  const px: unknown[] = [];
  const sz: unknown[] = [];
  let before = side.isFalling ? Infinity : -Infinity;
  for (let index = 0; index < count; index += 1) {
    const level: unknown = levels[index];
    const price = partOf(level, 0, "px", "price");
    const size = partOf(level, 1, "sz", "size");
    if (price === undefined || size === undefined)
      throw new ValueError(side.levels, `at level ${index + 1} is not [price, size]`, level);
    const number = numberOf(price);
    if (side.isFalling ? number > before : number < before)
      throw new ValueError(
        side.levels,
        `is not best first: level ${index + 1} is better than the one before`,
        levels,
      );
    before = number;
    px.push(price);
    sz.push(size);
  }
  row[side.levels] = undefined;
  row[side.px] = px;
  row[side.sz] = sz;
}

function partOf(level: unknown, place: 0 | 1, name: string, longName: string): unknown {
  if (Array.isArray(level)) return level[place];
  if (level === null || typeof level !== "object") return undefined;
  const named = level as Readonly<Record<string, unknown>>;
  return named[name] ?? named[longName];
}

/** Only to compare; NaN for what is no number, which its column refuses. */
function numberOf(price: unknown): number {
  if (typeof price === "number") return price;
  if (price instanceof NumberText) return Number(price.text);
  return typeof price === "string" || typeof price === "bigint" ? Number(price) : Number.NaN;
}

function cutColumns(row: GivenRow, { px, sz }: BookSide, depth: number): void {
  const prices = row[px];
  const sizes = row[sz];
  if (!Array.isArray(prices) || !Array.isArray(sizes)) return;
  if (prices.length !== sizes.length)
    throw new ValueError(sz, `has ${sizes.length} elements beside ${prices.length} of ${px}`, sizes);
  if (prices.length <= depth) return;
  row[px] = prices.slice(0, depth);
  row[sz] = sizes.slice(0, depth);
}
