import type { TimeValue } from "../schemas/values.js";
import type { Adapter, BookUpdate, VenueEvent } from "./adapter.js";
import {
  decimalAt,
  type Fields,
  fieldsOf,
  integerAt,
  levelsAt,
  millisAt,
  objectAt,
  textAt,
} from "./fields.js";

export interface BinanceOptions {
  /** USDⓈ-M or COIN-M futures. */
  readonly market: "usdm" | "coinm";
  /** Of depth snapshots, which do not name it on USDⓈ-M. */
  readonly symbol?: string;
}

/**
 * Binance futures: `bookTicker`, `depthUpdate`, `trade` and `aggTrade`, in the envelope of combined streams or without, and depth
 * snapshots fetched by REST. The time of an event is that of the matching engine (`T`).
 *
 * ```
 * {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":401,"s":"BTCUSDT","b":"61800.20","B":"2.507",
 *  "a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}}
 * {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":526,
 *  "p":"61800.30","q":"0.006","X":"MARKET","m":false}}
 * {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT",
 *  "U":402,"u":405,"pu":401,"b":[["61800.20","2.100"]],"a":[["61800.40","0.000"]]}}
 * {"lastUpdateId":404,"E":1723161256501,"T":1723161256493,"bids":[["61800.20","2.507"]],"asks":[["61800.30","2.510"]]}
 * ```
 */
export function binance(options: BinanceOptions): Adapter {
  const venue = `binance-${options.market}`;
  return (message, received) => {
    const outer = fieldsOf(message);
    if (outer === undefined) return undefined;
    if (outer["lastUpdateId"] !== undefined) return [fetched(outer, options.symbol, venue, received)];
    const data = outer["stream"] === undefined ? outer : objectAt(outer, "data");
    switch (data["e"]) {
      case "bookTicker":
        return [quote(data, venue, received)];
      case "trade":
        return [trade(data, "t", venue, received)];
      case "aggTrade":
        return [trade(data, "a", venue, received)];
      case "depthUpdate":
        return [change(data, venue, received)];
      case "kline":
        return [];
      default:
        // The answer to a subscription: {"result":null,"id":1}.
        return outer["result"] === null ? [] : undefined;
    }
  };
}

function quote(data: Fields, venue: string, received: TimeValue): VenueEvent {
  return {
    type: "quote",
    ts_exchange: millisAt(data, "T"),
    ts_local: received,
    symbol: textAt(data, "s"),
    bid_px1: decimalAt(data, "b"),
    bid_sz1: decimalAt(data, "B"),
    ask_px1: decimalAt(data, "a"),
    ask_sz1: decimalAt(data, "A"),
    venue,
    exchange_seq: integerAt(data, "u"),
  };
}

function trade(data: Fields, id: string, venue: string, received: TimeValue): VenueEvent {
  const isBuyerMaker = data["m"];
  return {
    type: "trade",
    ts_exchange: millisAt(data, "T"),
    ts_local: received,
    symbol: textAt(data, "s"),
    last_px: decimalAt(data, "p"),
    last_qty: decimalAt(data, "q"),
    // The aggressor is on the other side than the maker.
    ...(typeof isBuyerMaker === "boolean" ? { last_side: isBuyerMaker ? "sell" : "buy" } : {}),
    venue,
    exchange_seq: integerAt(data, id),
  };
}

function change(data: Fields, venue: string, received: TimeValue): BookUpdate {
  return {
    type: "book",
    venue,
    symbol: textAt(data, "s"),
    ts_local: received,
    ts_exchange: millisAt(data, "T"),
    action: "change",
    bids: levelsAt(data, "b"),
    asks: levelsAt(data, "a"),
    last: BigInt(integerAt(data, "u")),
    previous: BigInt(integerAt(data, "pu")),
  };
}

function fetched(data: Fields, symbol: string | undefined, venue: string, received: TimeValue): BookUpdate {
  return {
    type: "book",
    venue,
    symbol: symbol ?? textAt(data, "symbol"),
    ts_local: received,
    ts_exchange: millisAt(data, "T"),
    action: "fetched",
    bids: levelsAt(data, "bids"),
    asks: levelsAt(data, "asks"),
    last: BigInt(integerAt(data, "lastUpdateId")),
  };
}
