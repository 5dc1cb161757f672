import type { TimeValue } from "../schemas/values.js";
import type { Adapter, BookUpdate, LevelChange, VenueEvent } from "./adapter.js";
import {
  decimalAt,
  type Fields,
  fieldsOf,
  integerAt,
  levelOf,
  microsAt,
  millisAt,
  objectAt,
  objectsAt,
  sideAt,
  textAt,
} from "./fields.js";

const VENUE = "bybit";

/**
 * Bybit, the public streams before version 5: `orderBookL2_25` or `_200` (snapshot and delta) and `trade`, of inverse and linear
 * contracts, which write the same fields as numbers and as text.
 *
 * ```
 * {"topic":"orderBookL2_25.EOSUSD","type":"snapshot","data":[{"price":"7.943","symbol":"EOSUSD","id":79430,
 *  "side":"Buy","size":154}],"cross_seq":24,"timestamp_e6":1618677786558146}
 * {"topic":"orderBookL2_25.EOSUSD","type":"delta","data":{"delete":[{"price":"7.943","symbol":"EOSUSD","id":79430,
 *  "side":"Buy"}],"update":[],"insert":[]},"cross_seq":25,"timestamp_e6":1618677786598877}
 * {"topic":"trade.EOSUSD","data":[{"trade_time_ms":1618677786614,"symbol":"EOSUSD","side":"Sell","size":4,
 *  "price":7.95,"trade_id":"5ffb8b77-900c","cross_seq":26}]}
 * ```
 */
export function bybit(): Adapter {
  return (message, received) => {
    const outer = fieldsOf(message);
    if (outer === undefined) return undefined;
    const topic = outer["topic"];
    // The answer to a subscription.
    if (typeof topic !== "string") return outer["success"] === true ? [] : undefined;
    const [channel = "", symbol = ""] = topic.split(".");
    if (channel === "trade") return objectsAt(outer, "data").map((data) => trade(data, received));
    return channel.startsWith("orderBookL2_") ? [book(outer, symbol, received)] : undefined;
  };
}

function trade(data: Fields, received: TimeValue): VenueEvent {
  return {
    type: "trade",
    ts_exchange: millisAt(data, "trade_time_ms"),
    ts_local: received,
    symbol: textAt(data, "symbol"),
    last_px: decimalAt(data, "price"),
    last_qty: decimalAt(data, "size"),
    last_side: sideAt(data, "side"),
    venue: VENUE,
    ...(data["cross_seq"] === undefined ? {} : { exchange_seq: integerAt(data, "cross_seq") }),
  };
}

function book(outer: Fields, symbol: string, received: TimeValue): BookUpdate {
  const bids: LevelChange[] = [];
  const asks: LevelChange[] = [];
  const put = (levels: readonly Fields[], isGone: boolean): void => {
    for (const level of levels) {
      const change = levelOf(level["price"], isGone ? "0" : level["size"]);
      (sideAt(level, "side") === "buy" ? bids : asks).push(change);
    }
  };
  const isSnapshot = outer["type"] === "snapshot";
  if (isSnapshot) {
    const levels = Array.isArray(outer["data"]) ? outer : objectAt(outer, "data");
    put(objectsAt(levels, levels === outer ? "data" : "order_book"), false);
  } else {
    const data = objectAt(outer, "data");
    put(objectsAt(data, "delete"), true);
    put(objectsAt(data, "update"), false);
    put(objectsAt(data, "insert"), false);
  }
  return {
    type: "book",
    venue: VENUE,
    symbol,
    ts_local: received,
    ts_exchange: microsAt(outer, "timestamp_e6"),
    action: isSnapshot ? "snapshot" : "change",
    bids,
    asks,
    last: BigInt(integerAt(outer, "cross_seq")),
  };
}
