import { type RowOf, us } from "../../src/index.js";

const NOW = Date.now() * 1000;

/** An order that its number tells from all others. */
export function order(number: number): RowOf<"orders"> {
  return {
    ts: us(NOW + number),
    client_order_id: `o-${number}`,
    strategy: "s",
    symbol: "X",
    side: "sell",
    qty: number + 1,
    status: "new",
    reject_reason: "x".repeat(300),
  };
}

export function quote(number: number): RowOf<"market_data"> {
  return { ts_local: us(NOW + number), symbol: "X", kind: "quote", bid_px1: 1, exchange_seq: number };
}
