import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventOf, type RecordedEvent, type RowOf, us } from "../../src/index.js";

const NOW = us(1_700_000_000_000_000);

/** Whatever is given here compiles, or the line above it says that it does not: the compiler is the test. */
function compiles(_event: RecordedEvent): void {}

test("a wrong column, word, value or type of an event is a compile error", () => {
  compiles({ type: "quote", symbol: "X", bid_px1: "1.5" });
  // @ts-expect-error no such type
  compiles({ type: "quot", symbol: "X" });
  // @ts-expect-error no such column
  compiles({ type: "quote", symbol: "X", bid_price: 1 });
  // @ts-expect-error the kind comes from the type
  compiles({ type: "quote", symbol: "X", kind: "depth" });
  // @ts-expect-error a bare number is no time
  compiles({ type: "quote", symbol: "X", ts_local: 1_700_000_000 });
  // @ts-expect-error a symbol is required
  compiles({ type: "quote", bid_px1: 1 });

  compiles({ type: "depth", symbol: "X", bids: [["1", "2", "0"]], asks: [{ px: 1, sz: 2 }] });
  // @ts-expect-error a level has a size
  compiles({ type: "depth", symbol: "X", bids: [["1"]] });

  compiles({ type: "trade", symbol: "X", last_px: 1, last_qty: 2, last_side: "BUY" });
  // @ts-expect-error a trade has a price and a quantity
  compiles({ type: "trade", symbol: "X" });
  // @ts-expect-error the side of the book is not the aggressor
  compiles({ type: "trade", symbol: "X", last_px: 1, last_qty: 2, last_side: "bid" });

  const ids = { ts: NOW, client_order_id: "c" };
  compiles({ type: "order", ...ids, strategy: "s", symbol: "X", side: "SellShort", qty: 1, status: "39" });
  compiles({ type: "order", ...ids, side: 5, status: "NEW" });
  compiles({ type: "order", ts: NOW, broker_order_id: "b", status: "NEW" });
  // @ts-expect-error no id
  compiles({ type: "order", ts: NOW, status: "NEW" });
  // @ts-expect-error no side
  compiles({ type: "order", ...ids, side: "long", status: "NEW" });
  // @ts-expect-error no side in FIX that orders have here
  compiles({ type: "order", ...ids, side: 8, status: "NEW" });
  // @ts-expect-error no status
  compiles({ type: "order", ...ids });

  const fill = { ts_exchange: NOW, fill_id: "f" };
  compiles({ type: "fill", ...fill, symbol: "X", side: "Sell", fill_qty: 1, fill_px: 2, liquidity: "M" });
  compiles({ type: "fill", ...fill, client_order_id: "c", fill_qty: 1, fill_px: 2 });
  compiles({ type: "fill", ...fill, exec_type: "bust", corrects_fill_id: "e" });
  // @ts-expect-error of no order
  compiles({ type: "fill", ...fill, fill_qty: 1, fill_px: 2 });
  // @ts-expect-error a digit is ambiguous
  compiles({ type: "fill", ...fill, exec_type: 1, corrects_fill_id: "e" });

  const account = { ts: NOW, account_id: "a" };
  compiles({ type: "position", ...account, symbol: "X", position_qty: -1 });
  compiles({ type: "account", ...account, equity: "1.00" });
  // @ts-expect-error a position has a quantity
  compiles({ type: "position", ...account, symbol: "X" });
  // @ts-expect-error an account has no symbol
  compiles({ type: "account", ...account, symbol: "X" });

  compiles({ type: "risk_decision", ts: NOW, strategy: "s", decision: "reject", limits: { gross: 1 } });
  compiles({ type: "guardrail_transition", ts: NOW, prev_mode: "a", next_mode: "b" });
  compiles({ type: "system_event", ts: NOW, kind: "link", severity: "WARN", attributes: { a: "b" } });
  // @ts-expect-error no severity
  compiles({ type: "system_event", ts: NOW, kind: "link", severity: "bad" });
  // @ts-expect-error attributes are text
  compiles({ type: "system_event", ts: NOW, kind: "link", attributes: { a: 1 } });
});

test("messages that are typed keep their types on the way into events and rows", () => {
  const message: { S: "BUY" | "SELL"; X: string } = { S: "BUY", X: "NEW" };
  const event: EventOf<"order"> = {
    type: "order",
    ts: NOW,
    ts_ns: 12,
    client_order_id: "c",
    side: message.S,
    status: message.X,
  };
  const row: RowOf<"orders"> = event;
  assert.equal(row.side, "BUY");
});
