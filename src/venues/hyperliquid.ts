import type { TimeValue } from "../schemas/values.js";
import type { Adapter, VenueEvent } from "./adapter.js";
import { decimalAt, type Fields, fieldsOf, integerAt, millisAt, sideAt, textAt } from "./fields.js";
import type { OwnerOptions } from "./okx.js";

const VENUE = "hyperliquid";
const SIDES = { b: "buy", a: "sell" } as const;
const FEE_CURRENCY = "USDC";

/**
 * Hyperliquid, answers of the information endpoint: fills (`userFills`) and open orders (`openOrders`), one object a message or the whole
 * list. Funding payments need no row. Open orders are what is left of orders; the API does not name a client order id, so the
 * venue's stands for it.
 *
 * ```
 * {"coin":"SUI","px":"1.3281","sz":"104.4","side":"B","dir":"Close Short","crossed":true,"fee":"0.05","oid":1893,
 *  "closedPnl":"0.08","startPosition":"-1839.2","hash":"0xb454","time":1683245555699}
 * {"coin":"AVAX","limitPx":"15.578","sz":"232.06","side":"B","oid":6212,"timestamp":1679935945307}
 * ```
 */
export function hyperliquid(owner: OwnerOptions): Adapter {
  return (message, received) => {
    const records = Array.isArray(message) ? message : [message];
    const events: VenueEvent[] = [];
    for (const record of records) {
      const data = fieldsOf(record);
      if (data?.["px"] !== undefined) events.push(fill(data, owner, received));
      else if (data?.["limitPx"] !== undefined) events.push(openOrder(data, owner));
      else if (fieldsOf(data?.["delta"])?.["type"] !== "funding") return undefined;
    }
    return events;
  };
}

function orderOf(data: Fields, { strategy, account }: OwnerOptions) {
  const id = integerAt(data, "oid");
  return {
    client_order_id: id,
    broker_order_id: id,
    strategy,
    ...(account === undefined ? {} : { account_id: account }),
    symbol: textAt(data, "coin"),
    side: sideAt(data, "side", SIDES),
  };
}

function fill(data: Fields, owner: OwnerOptions, received: TimeValue): VenueEvent {
  return {
    type: "fill",
    ts_exchange: millisAt(data, "time"),
    ts_local: received,
    fill_id: fillId(data),
    ...orderOf(data, owner),
    fill_qty: decimalAt(data, "sz"),
    fill_px: decimalAt(data, "px"),
    liquidity: data["crossed"] === true ? "taker" : data["crossed"] === false ? "maker" : "unknown",
    fees: decimalAt(data, "fee"),
    fee_currency: FEE_CURRENCY,
    venue: VENUE,
  };
}

/** Old answers have no trade id, and one transaction may fill an order several times: what the fill says stands for the id. */
function fillId(data: Fields): string {
  if (data["tid"] !== undefined) return integerAt(data, "tid");
  const values = ["startPosition", "px", "sz"].map((name) => decimalAt(data, name));
  return [textAt(data, "hash"), integerAt(data, "oid"), ...values].join(":");
}

function openOrder(data: Fields, owner: OwnerOptions): VenueEvent {
  return {
    type: "order",
    ts: millisAt(data, "timestamp"),
    ...orderOf(data, owner),
    qty: decimalAt(data, "sz"),
    limit_px: decimalAt(data, "limitPx"),
    order_type: "limit",
    status: "new",
  };
}
