import { LineError } from "../intake/line-error.js";
import type { Adapter, BookUpdate, LevelChange } from "./adapter.js";
import {
  decimalAt,
  type Fields,
  fieldsOf,
  integerAt,
  levelOf,
  levelsAt,
  listAt,
  sideAt,
  textAt,
} from "./fields.js";

/** The side of a match is the maker's. */
const AGGRESSORS = { buy: "sell", sell: "buy" } as const;
const QUIET: ReadonlySet<unknown> = new Set(["subscriptions", "heartbeat", "last_match"]);
const KNOWN: ReadonlySet<unknown> = new Set(["snapshot", "l2update", "ticker", "match"]);

/**
 * Coinbase Exchange: `level2` (`snapshot`, `l2update`), `ticker` and `matches`. A ticker becomes a quote; its trade comes as a match. The
 * `last_match` after a subscription happened before it and is left out.
 *
 * ```
 * {"type":"snapshot","product_id":"ETH-EUR","bids":[["2010.50","1.2"]],"asks":[["2010.75","0.4"]]}
 * {"type":"l2update","product_id":"ETH-EUR","changes":[["sell","2010.75","0"]],"time":"2021-04-17T16:43:37.075687Z"}
 * {"type":"ticker","sequence":33,"product_id":"ETH-EUR","price":"2010.6","best_bid":"2010.50","best_ask":"2010.75",
 *  "side":"buy","time":"2021-04-17T16:43:30.244075Z","trade_id":88,"last_size":"0.04"}
 * {"type":"match","trade_id":89,"side":"sell","size":"0.1","price":"2010.75","product_id":"ETH-EUR","sequence":34,
 *  "time":"2021-04-17T16:43:37.089723Z"}
 * ```
 */
export function coinbase(): Adapter {
  return (message, received) => {
    const data = fieldsOf(message);
    const type = data?.["type"];
    if (data === undefined) return undefined;
    if (QUIET.has(type)) return [];
    if (!KNOWN.has(type)) return undefined;
    const common = {
      ...(data["time"] === undefined ? {} : { ts_exchange: textAt(data, "time") }),
      ts_local: received,
      symbol: textAt(data, "product_id"),
      venue: "coinbase",
    };
    switch (type) {
      case "snapshot":
        return [
          {
            type: "book",
            ...common,
            action: "snapshot",
            bids: levelsAt(data, "bids"),
            asks: levelsAt(data, "asks"),
          },
        ];
      case "l2update":
        return [{ type: "book", ...common, action: "change", ...changesOf(data) }];
      case "ticker":
        return [
          {
            type: "quote",
            ...common,
            bid_px1: decimalAt(data, "best_bid"),
            ask_px1: decimalAt(data, "best_ask"),
            exchange_seq: integerAt(data, "sequence"),
          },
        ];
      default:
        return [
          {
            type: "trade",
            ...common,
            last_px: decimalAt(data, "price"),
            last_qty: decimalAt(data, "size"),
            last_side: AGGRESSORS[sideAt(data, "side")],
            exchange_seq: integerAt(data, "trade_id"),
          },
        ];
    }
  };
}

function changesOf(data: Fields): Pick<BookUpdate, "bids" | "asks"> {
  const bids: LevelChange[] = [];
  const asks: LevelChange[] = [];
  for (const change of listAt(data, "changes")) {
    if (!Array.isArray(change)) throw new LineError("has a change that is not side, price and size");
    const [side, px, sz] = change as unknown[];
    (sideAt({ side }, "side") === "buy" ? bids : asks).push(levelOf(px, sz));
  }
  return { bids, asks };
}
