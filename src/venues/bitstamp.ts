import type { TimeValue } from "../schemas/values.js";
import type { Adapter, BookUpdate } from "./adapter.js";
import {
  decimalAt,
  type Fields,
  fieldsOf,
  integerAt,
  levelsAt,
  microsAt,
  objectAt,
  sideAt,
  textAt,
} from "./fields.js";

const VENUE = "bitstamp";
const TRADE_SIDES = { "0": "buy", "1": "sell" } as const;

export interface BitstampOptions {
  /** Of book snapshots fetched by REST, which do not name it. */
  readonly symbol?: string;
}

/**
 * Bitstamp: `diff_order_book`, which needs a snapshot fetched by REST to begin with, `order_book` (a snapshot each time) and
 * `live_trades`. The symbol is the last part of the channel.
 *
 * ```
 * {"data":{"timestamp":"1641343691","microtimestamp":"1641343691244908","bids":[["1.15979","993.02588113"]],
 *  "asks":[["1.16601","0.00000000"]]},"channel":"diff_order_book_bateur","event":"data"}
 * {"timestamp":"1641343691","microtimestamp":"1641343691000000","bids":[["1.15979","9"]],"asks":[["1.16601","12"]]}
 * {"data":{"id":216,"timestamp":"1641343699","amount":0.0792,"amount_str":"0.07920000","price":3805.44,
 *  "price_str":"3805.44","type":0,"microtimestamp":"1641343699596000"},"channel":"live_trades_ethusd","event":"trade"}
 * ```
 */
export function bitstamp({ symbol }: BitstampOptions = {}): Adapter {
  return (message, received) => {
    const outer = fieldsOf(message);
    if (outer === undefined) return undefined;
    const event = outer["event"];
    if (event === undefined && outer["bids"] !== undefined)
      return [book(outer, symbol ?? textAt(outer, "symbol"), "fetched", received)];
    if (typeof event === "string" && event.startsWith("bts:")) return [];
    if (event !== "data" && event !== "trade") return undefined;
    const channel = /^(diff_order_book|order_book|live_trades)_(\w+)$/.exec(textAt(outer, "channel"));
    if (channel === null) return undefined;
    const [, kind, name = ""] = channel;
    const data = objectAt(outer, "data");
    if (kind !== "live_trades")
      return [book(data, name, kind === "order_book" ? "snapshot" : "change", received)];
    return [
      {
        type: "trade",
        ts_exchange: microsAt(data, "microtimestamp"),
        ts_local: received,
        symbol: name,
        // The numbers beside them have been through a double.
        last_px: decimalAt(data, "price_str"),
        last_qty: decimalAt(data, "amount_str"),
        last_side: sideAt(data, "type", TRADE_SIDES),
        venue: VENUE,
        exchange_seq: integerAt(data, "id"),
      },
    ];
  };
}

function book(data: Fields, symbol: string, action: BookUpdate["action"], received: TimeValue): BookUpdate {
  return {
    type: "book",
    venue: VENUE,
    symbol,
    ts_local: received,
    ts_exchange: microsAt(data, "microtimestamp"),
    action,
    bids: levelsAt(data, "bids"),
    asks: levelsAt(data, "asks"),
    last: BigInt(integerAt(data, "microtimestamp")),
  };
}
