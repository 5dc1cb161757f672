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
  objectsAt,
  optionalTextAt,
  sideAt,
  textAt,
} from "./fields.js";

const VENUE = "okx";
const LIQUIDITY = { M: "maker", T: "taker" } as const;
const ZERO = /^[0.]*$/;

/** Whose orders they are; the venue does not know. */
export interface OwnerOptions {
  readonly strategy: string;
  readonly account?: string;
}

/**
 * OKX, version 5: the public channels `books`, `trades` and `tickers`, and the private channel `orders`, whose pushes become a step of the order
 * and, where something was executed, a fill. Fees are negative at OKX where they are paid, and positive in the table.
 *
 * ```
 * {"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","bidPx":"30200.1","bidSz":"0.5",
 *  "askPx":"30200.2","askSz":"1.5","ts":"1652459225464"}]}
 * {"arg":{"channel":"orders","instType":"SPOT","uid":"1"},"data":[{"instId":"BTC-USDT","ordId":"45","clOrdId":"abc",
 *  "side":"sell","ordType":"limit","px":"31527.1","sz":"0.001","accFillSz":"0.001","state":"filled","tradeId":"24",
 *  "fillPx":"31527.1","fillSz":"0.001","fillTime":"1654084353263","fillFee":"-0.025","fillFeeCcy":"USDT",
 *  "execType":"M","cTime":"1654084334977","uTime":"1654084353264"}]}
 * ```
 */
export function okx(owner: OwnerOptions): Adapter {
  return (message, received) => {
    const outer = fieldsOf(message);
    if (outer === undefined) return undefined;
    // The answer to a subscription.
    if (outer["event"] !== undefined) return outer["event"] === "error" ? undefined : [];
    const arg = objectAt(outer, "arg");
    switch (arg["channel"]) {
      case "tickers":
        return objectsAt(outer, "data").map((data) => quote(data, received));
      case "trades":
        return objectsAt(outer, "data").map((data) => trade(data, received));
      case "books":
        return objectsAt(outer, "data").map((data) => book(data, outer, textAt(arg, "instId"), received));
      case "orders":
        return objectsAt(outer, "data").flatMap((data) => [
          order(data, owner, received),
          ...fillsOf(data, owner, received),
        ]);
      default:
        return undefined;
    }
  };
}

function quote(data: Fields, received: TimeValue): VenueEvent {
  return {
    type: "quote",
    ts_exchange: millisAt(data, "ts"),
    ts_local: received,
    symbol: textAt(data, "instId"),
    bid_px1: decimalAt(data, "bidPx"),
    bid_sz1: decimalAt(data, "bidSz"),
    ask_px1: decimalAt(data, "askPx"),
    ask_sz1: decimalAt(data, "askSz"),
    venue: VENUE,
  };
}

function trade(data: Fields, received: TimeValue): VenueEvent {
  return {
    type: "trade",
    ts_exchange: millisAt(data, "ts"),
    ts_local: received,
    symbol: textAt(data, "instId"),
    last_px: decimalAt(data, "px"),
    last_qty: decimalAt(data, "sz"),
    last_side: sideAt(data, "side"),
    venue: VENUE,
    exchange_seq: integerAt(data, "tradeId"),
  };
}

function book(data: Fields, outer: Fields, symbol: string, received: TimeValue): BookUpdate {
  return {
    type: "book",
    venue: VENUE,
    symbol,
    ts_local: received,
    ts_exchange: millisAt(data, "ts"),
    action: outer["action"] === "snapshot" ? "snapshot" : "change",
    bids: levelsAt(data, "bids"),
    asks: levelsAt(data, "asks"),
  };
}

/** Ids of an order, and whose it is; a client order id is one that its sender chose to give. */
function orderOf(data: Fields, { strategy, account }: OwnerOptions) {
  const broker_order_id = textAt(data, "ordId");
  return {
    client_order_id: optionalTextAt(data, "clOrdId") ?? broker_order_id,
    broker_order_id,
    strategy,
    ...(account === undefined ? {} : { account_id: account }),
    symbol: textAt(data, "instId"),
    side: sideAt(data, "side"),
  };
}

function order(data: Fields, owner: OwnerOptions, received: TimeValue): VenueEvent {
  const px = optionalTextAt(data, "px");
  return {
    type: "order",
    ts: millisAt(data, "uTime"),
    ts_ack: received,
    ...orderOf(data, owner),
    qty: decimalAt(data, "sz"),
    ...(px === undefined ? {} : { limit_px: px }),
    order_type: textAt(data, "ordType"),
    status: textAt(data, "state"),
    filled_qty: decimalAt(data, "accFillSz"),
  };
}

function fillsOf(data: Fields, owner: OwnerOptions, received: TimeValue): VenueEvent[] {
  const fill_id = optionalTextAt(data, "tradeId");
  if (fill_id === undefined || ZERO.test(decimalAt(data, "fillSz"))) return [];
  const currency = optionalTextAt(data, "fillFeeCcy");
  return [
    {
      type: "fill",
      ts_exchange: millisAt(data, "fillTime"),
      ts_local: received,
      fill_id,
      ...orderOf(data, owner),
      fill_qty: decimalAt(data, "fillSz"),
      fill_px: decimalAt(data, "fillPx"),
      liquidity: LIQUIDITY[data["execType"] as keyof typeof LIQUIDITY] ?? "unknown",
      fees: negated(decimalAt(data, "fillFee")),
      ...(currency === undefined ? {} : { fee_currency: currency }),
      venue: VENUE,
    },
  ];
}

function negated(digits: string): string {
  if (digits.startsWith("-")) return digits.slice(1);
  return ZERO.test(digits) ? digits : `-${digits}`;
}
