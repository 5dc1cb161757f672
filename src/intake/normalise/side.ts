import { Vocabulary } from "./vocabulary.js";

export const SIDE_WORDS = {
  buy: "buy",
  b: "buy",
  bid: "buy",
  bot: "buy",
  bought: "buy",
  sell: "sell",
  s: "sell",
  ask: "sell",
  offer: "sell",
  sld: "sell",
  sold: "sell",
  sell_short: "sell_short",
  short_sell: "sell_short",
  sell_short_exempt: "sell_short_exempt",
} as const;

/** FIX tag 54. */
export const SIDE_CODES = { "1": "buy", "2": "sell", "5": "sell_short", "6": "sell_short_exempt" } as const;

const POSITION_SIDE = "a position's side is not an order's, which may open or close it; say buy or sell";

/** Side of an order or a fill. */
export const SIDE: Vocabulary = new Vocabulary({
  column: "side",
  words: SIDE_WORDS,
  codes: SIDE_CODES,
  ambiguous: {
    long: POSITION_SIDE,
    short: POSITION_SIDE,
    ss: "sell short, or short sale exempt",
    a: "ask at some venues, cross short exempt in FIX; say sell",
  },
  isOpen: false,
});

export const LAST_SIDE_WORDS = {
  buy: "buy",
  b: "buy",
  buyer: "buy",
  sell: "sell",
  s: "sell",
  seller: "sell",
  none: null,
  unknown: null,
  no_aggressor: null,
  "": null,
} as const;

/** FIX tag 2446, where 0 is a trade without aggressor. */
export const LAST_SIDE_CODES = { "0": null, "1": "buy", "2": "sell" } as const;

const WHOSE = "the side of the book that was hit, or of who hit it; say buy or sell for who took";

/** Side of a trade's aggressor. */
export const LAST_SIDE: Vocabulary = new Vocabulary({
  column: "last_side",
  words: LAST_SIDE_WORDS,
  codes: LAST_SIDE_CODES,
  ambiguous: { bid: WHOSE, ask: WHOSE, a: WHOSE, offer: WHOSE },
  isOpen: false,
});
