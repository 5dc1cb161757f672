import { Vocabulary } from "./vocabulary.js";

export const LIQUIDITY_WORDS = {
  maker: "maker",
  m: "maker",
  add: "maker",
  added: "maker",
  added_liquidity: "maker",
  passive: "maker",
  taker: "taker",
  t: "taker",
  remove: "taker",
  removed: "taker",
  removed_liquidity: "taker",
  aggressive: "taker",
  unknown: "unknown",
  none: "unknown",
  "": "unknown",
} as const;

/** FIX tag 851: neither, added, removed, routed out, auction. */
export const LIQUIDITY_CODES = {
  "0": "unknown",
  "1": "maker",
  "2": "taker",
  "3": "unknown",
  "4": "unknown",
} as const;

const FLAG = "venues have flags that say maker and flags that say taker; say which";

/** Whether a filled order rested in the book or took from it. */
export const LIQUIDITY: Vocabulary = new Vocabulary({
  column: "liquidity",
  words: LIQUIDITY_WORDS,
  codes: LIQUIDITY_CODES,
  ambiguous: { true: FLAG, false: FLAG, a: "added, or aggressive", r: "removed, or routed" },
  isOpen: false,
});
