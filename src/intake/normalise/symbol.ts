import { ValueError } from "../../native/block.js";

const SPACE = 0x20;
const LAST_VISIBLE = 0x7e;

/**
 * The symbol as the venue writes it, without white space around it; what is no text is left to its column.
 * @throws ValueError for an empty one
 */
export function symbolOf(symbol: unknown): unknown {
  if (typeof symbol !== "string") return symbol;
  if (isVisible(symbol.charCodeAt(0)) && isVisible(symbol.charCodeAt(symbol.length - 1))) return symbol;
  const trimmed = symbol.trim();
  if (trimmed === "") throw new ValueError("symbol", "is empty", symbol);
  return trimmed;
}

/** False also for the NaN of an empty text. */
function isVisible(unit: number): boolean {
  return unit > SPACE && unit <= LAST_VISIBLE;
}
