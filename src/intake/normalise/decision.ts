import { Vocabulary } from "./vocabulary.js";

/** What risk decided. */
export const DECISION: Vocabulary = new Vocabulary({
  column: "decision",
  words: {
    accept: "accept",
    accepted: "accept",
    allow: "accept",
    allowed: "accept",
    approve: "accept",
    approved: "accept",
    reduce: "reduce",
    reduced: "reduce",
    reject: "reject",
    rejected: "reject",
    deny: "reject",
    denied: "reject",
    block: "reject",
    blocked: "reject",
  },
  isOpen: true,
});
