import { Vocabulary } from "./vocabulary.js";

/** Time in force. `gtx` stays what the venue means by it: post-only at Binance, good till crossing in FIX. */
export const TIF: Vocabulary = new Vocabulary({
  column: "tif",
  words: {
    day: "day",
    gfd: "day",
    good_for_day: "day",
    gtc: "gtc",
    good_till_cancel: "gtc",
    good_till_canceled: "gtc",
    good_till_cancelled: "gtc",
    good_til_canceled: "gtc",
    good_til_cancelled: "gtc",
    good_until_canceled: "gtc",
    good_until_cancelled: "gtc",
    ioc: "ioc",
    immediate_or_cancel: "ioc",
    fok: "fok",
    fill_or_kill: "fok",
    gtd: "gtd",
    gtt: "gtd",
    good_till_date: "gtd",
    good_till_time: "gtd",
    good_until_date_time: "gtd",
    opg: "opg",
    at_the_opening: "opg",
    cls: "cls",
    at_the_close: "cls",
    gtx: "gtx",
    post_only: "post_only",
    alo: "post_only",
    "": null,
  },
  // FIX tag 59.
  codes: { "0": "day", "1": "gtc", "2": "opg", "3": "ioc", "4": "fok", "5": "gtx", "6": "gtd", "7": "cls" },
  isOpen: true,
});
