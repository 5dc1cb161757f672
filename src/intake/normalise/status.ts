import { Vocabulary } from "./vocabulary.js";

/** The table's own words stand for themselves. */
const WORDS = {
  intent: "intent",
  sent: "sent",
  pending_new: "pending_new",
  pending_submit: "pending_new",
  new: "new",
  open: "new",
  live: "new",
  working: "new",
  active: "new",
  ack: "new",
  acked: "new",
  acknowledged: "new",
  partially_filled: "partially_filled",
  partial_fill: "partially_filled",
  partial_filled: "partially_filled",
  part_filled: "partially_filled",
  partial: "partially_filled",
  filled: "filled",
  fill: "filled",
  fully_filled: "filled",
  canceled: "canceled",
  cancelled: "canceled",
  cancel: "canceled",
  user_canceled: "canceled",
  api_canceled: "canceled",
  api_cancelled: "canceled",
  mmp_canceled: "canceled",
  partially_filled_canceled: "canceled",
  partially_filled_cancelled: "canceled",
  deactivated: "canceled",
  pending_cancel: "pending_cancel",
  cancel_pending: "pending_cancel",
  canceling: "pending_cancel",
  cancelling: "pending_cancel",
  replaced: "replaced",
  replace: "replaced",
  amended: "replaced",
  modified: "replaced",
  pending_replace: "pending_replace",
  replace_pending: "pending_replace",
  pending_amend: "pending_replace",
  rejected: "rejected",
  reject: "rejected",
  expired: "expired",
  expire: "expired",
  expired_in_match: "expired",
  done_for_day: "done_for_day",
  suspended: "suspended",
  stopped: "stopped",
  calculated: "calculated",
} as const;

const EXEC_TYPE = "it says that something was executed, not where the order stands; say tag 39";

/** State of an order after a step. */
export const STATUS: Vocabulary = new Vocabulary({
  column: "status",
  words: WORDS,
  // FIX tags 39 and 150, where they agree.
  codes: {
    "0": "new",
    "1": "partially_filled",
    "2": "filled",
    "3": "done_for_day",
    "4": "canceled",
    "5": "replaced",
    "6": "pending_cancel",
    "7": "stopped",
    "8": "rejected",
    "9": "suspended",
    A: "pending_new",
    B: "calculated",
    C: "expired",
    E: "pending_replace",
  },
  ambiguous: {
    D: "accepted for bidding in FIX tag 39, restated in tag 150",
    F: EXEC_TYPE,
    G: EXEC_TYPE,
    H: EXEC_TYPE,
    I: "an answer about the status, not the status; say tag 39",
    trade: EXEC_TYPE,
  },
  isOpen: true,
});

/** True if nothing more is expected of an order in this state; `replaced` may end an order or go on with it. */
export function isFinal(status: string): boolean {
  return (
    /(?:^|_)(?:filled|canceled|cancelled|rejected|expired)$/.test(status) && status !== "partially_filled"
  );
}
