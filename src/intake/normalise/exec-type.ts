import { Vocabulary } from "./vocabulary.js";

export const EXEC_TYPE_WORDS = {
  new: "new",
  trade: "new",
  fill: "new",
  partial_fill: "new",
  bust: "bust",
  busted: "bust",
  trade_bust: "bust",
  trade_cancel: "bust",
  correct: "correct",
  corrected: "correct",
  correction: "correct",
  trade_correct: "correct",
} as const;

/** FIX tag 150: trade, trade cancel, trade correct. */
export const EXEC_TYPE_CODES = { F: "new", H: "bust", G: "correct" } as const;

const DIGIT = "1 and 2 are fills in FIX tag 150, but cancel and correct in tag 20; say new, bust or correct";

/** Whether a report is an execution, takes one back or replaces one. */
export const EXEC_TYPE: Vocabulary = new Vocabulary({
  column: "exec_type",
  words: EXEC_TYPE_WORDS,
  codes: EXEC_TYPE_CODES,
  ambiguous: {
    "0": DIGIT,
    "1": DIGIT,
    "2": DIGIT,
    "3": DIGIT,
    cancel: "a trade taken back, or an order canceled; say bust",
    canceled: "a trade taken back, or an order canceled; say bust",
    cancelled: "a trade taken back, or an order canceled; say bust",
    bust_trade: "at Bybit a liquidation's execution, elsewhere a trade taken back; say new or bust",
  },
  isOpen: false,
});
