import assert from "node:assert/strict";
import { test } from "node:test";
import { Normaliser } from "../../../src/intake/normalise/normaliser.js";
import { NumberText } from "../../../src/native/number-text.js";

const ORDER = { client_order_id: "c", strategy: "s", symbol: "X", side: "buy", qty: 1, status: "new" };
const FILL = { fill_id: "f", symbol: "X", side: "buy", fill_qty: 1, fill_px: 1 };
const TICK = { symbol: "X", kind: "trade", ts_exchange: 1n, ts_local: 1n };

/** What the table gets for one value of one column. */
function stored(table: string, base: object, column: string, given: unknown): unknown {
  const row: Record<string, unknown> = { ...base, [column]: given };
  const tables = new Normaliser({ depth: 5 });
  tables.of(table).normalise(row);
  const once = row[column];
  tables.of(table).normalise(row);
  assert.deepEqual(row[column], once, `${column} ${String(given)}: once more changes nothing`);
  return once;
}

type Words = Readonly<Record<string, readonly unknown[]>>;

function check(table: string, base: object, column: string, words: Words): void {
  for (const [word, given] of Object.entries(words))
    for (const each of given)
      assert.equal(stored(table, base, column, each) ?? "NULL", word, `${column} ${String(each)}`);
}

function refuses(table: string, base: object, column: string, given: readonly unknown[], why: RegExp): void {
  for (const each of given)
    assert.throws(
      () => stored(table, base, column, each),
      { code: "VALUE_REJECTED", message: why },
      String(each),
    );
}

test("sides: what venues and FIX tag 54 write", () => {
  check("orders", ORDER, "side", {
    buy: ["buy", "BUY", "Buy", "b", "B", "bid", "BID", "BOT", " buy ", 1, "1", 1n, new NumberText("1")],
    sell: ["sell", "SELL", "Sell", "s", "S", "ask", "offer", "SLD", 2, "2"],
    sell_short: ["sell_short", "SELL_SHORT", "SellShort", "sell short", "Sell-Short", "SHORT_SELL", 5, "5"],
    sell_short_exempt: ["sell_short_exempt", "SellShortExempt", 6, "6"],
  });
  check("fills", FILL, "side", { buy: ["BUY", 1], sell: ["Sell", "2"] });
  refuses("orders", ORDER, "side", ["long", "SHORT", "A", "a", "ss"], /side: .* is ambiguous/);
  refuses(
    "orders",
    ORDER,
    "side",
    ["hold", "", 3, 8, 0, "7", 1.5, -1],
    /is none of buy, sell, sell_short, sell_short_exempt/,
  );
  refuses("orders", ORDER, "side", ["biy"], /'biy' is no side, did you mean buy\?/);
  refuses("orders", ORDER, "side", [true, {}, ["buy"]], /is not a word/);
  refuses("orders", ORDER, "side", ["constructor", "__proto__"], /is none of/);
});

test("the side of a trade is that of the aggressor, and none is NULL", () => {
  check("market_data", TICK, "last_side", {
    buy: ["buy", "BUY", "Buy", "b", "buyer", 1, "1"],
    sell: ["sell", "SELL", "Sell", "S", "seller", 2, "2"],
    NULL: [null, undefined, "", "none", "unknown", "NO_AGGRESSOR", 0, "0"],
  });
  refuses(
    "market_data",
    TICK,
    "last_side",
    ["bid", "ASK", "A", "offer"],
    /the side of the book that was hit, or of who hit it/,
  );
  refuses("market_data", TICK, "last_side", ["sell_short", 5, true], /last_side/);
});

test("states of orders: venues' words, FIX tags 39 and 150 where they agree, other words in one spelling", () => {
  check("orders", ORDER, "status", {
    intent: ["intent", "INTENT"],
    sent: ["sent"],
    pending_new: ["pending_new", "PENDING_NEW", "PendingNew", "PendingSubmit", "A"],
    // Binance, Bybit, Coinbase, OKX, Deribit, BitMEX
    new: ["new", "NEW", "New", "open", "OPEN", "live", "working", "ACK", 0, "0"],
    partially_filled: ["PARTIALLY_FILLED", "PartiallyFilled", "partially_filled", "partial-fill", 1, "1"],
    filled: ["FILLED", "Filled", "fill", 2, "2"],
    done_for_day: ["done_for_day", "DoneForDay", 3, "3"],
    canceled: [
      "CANCELED",
      "Cancelled",
      "cancelled",
      "mmp_canceled",
      "PartiallyFilledCanceled",
      "Deactivated",
      "ApiCancelled",
      4,
      "4",
    ],
    replaced: ["replaced", "Replaced", "amended", 5],
    pending_cancel: ["PENDING_CANCEL", "PendingCancel", 6],
    stopped: ["Stopped", 7],
    rejected: ["REJECTED", "Rejected", "reject", 8],
    suspended: ["Suspended", 9],
    calculated: ["calculated", "B"],
    expired: ["EXPIRED", "EXPIRED_IN_MATCH", "Expired", "C"],
    pending_replace: ["PendingReplace", "pending_amend", "E"],
    // Hyperliquid, Bybit, Kraken, our own
    margin_canceled: ["marginCanceled"],
    untriggered: ["Untriggered"],
    closed: ["closed"],
    held_by_desk: ["Held by desk"],
  });
  refuses("orders", ORDER, "status", ["D", "F", "G", "H", "I", "TRADE", "trade"], /is ambiguous/);
  refuses("orders", ORDER, "status", ["", "  "], /is empty/);
});

test("kinds of orders: venues' words and FIX tag 40; a stop that may be either stays a stop", () => {
  check("orders", ORDER, "order_type", {
    market: ["MARKET", "Market", "mkt", 1, "1"],
    limit: ["LIMIT", "Limit", "LMT", 2],
    limit_maker: ["LIMIT_MAKER", "post_only", "PostOnly"],
    stop_market: ["STOP_MARKET", "STOP_LOSS", "stop-loss", 3],
    stop_limit: ["STOP_LOSS_LIMIT", "StopLimit", "STOP_LIMIT", "stop-loss-limit", 4],
    take_profit_market: ["TAKE_PROFIT_MARKET"],
    take_profit_limit: ["TAKE_PROFIT_LIMIT", "take-profit-limit"],
    trailing_stop: ["TRAILING_STOP_MARKET", "trailing-stop"],
    market_on_close: ["MOC", 5],
    limit_on_close: ["LOC", "B"],
    market_if_touched: ["MarketIfTouched", "J"],
    limit_if_touched: ["LimitIfTouched"],
    market_to_limit: ["MTL", "K"],
    pegged: ["Pegged", "P"],
    stop: ["STOP", "Stop"],
    take_profit: ["TAKE_PROFIT"],
    settle_position: ["settle-position"],
    NULL: [null, ""],
  });
  refuses(
    "orders",
    ORDER,
    "order_type",
    [6, "9", "D", "I"],
    /of FIX tag 40 the codes 1 to 5, B, J, K and P are read/,
  );
});

test("time in force: venues' words and FIX tag 59; gtx stays what the venue means by it", () => {
  check("orders", ORDER, "tif", {
    day: ["DAY", "Day", "gfd", 0, "0"],
    gtc: ["GTC", "Gtc", "GoodTillCancel", "good_til_cancelled", 1],
    opg: ["OPG", 2],
    ioc: ["IOC", "Ioc", "ImmediateOrCancel", "immediate_or_cancel", 3],
    fok: ["FOK", "FillOrKill", 4],
    gtx: ["GTX", 5],
    gtd: ["GTD", "GTT", "good_until_date_time", 6],
    cls: ["at the close", 7],
    post_only: ["PostOnly", "POST_ONLY", "Alo"],
    gte_gtc: ["GTE_GTC"],
    NULL: [null, ""],
  });
});

test("liquidity: words, letters and FIX tag 851; flags that mean either are refused", () => {
  check("fills", FILL, "liquidity", {
    maker: ["maker", "MAKER", "M", "m", "AddedLiquidity", 1, "1"],
    taker: ["taker", "Taker", "T", "t", "RemovedLiquidity", 2, "2"],
    unknown: ["unknown", "", 0, "0", 3, "4"],
  });
  refuses("fills", FILL, "liquidity", ["true", "false", "A", "R"], /liquidity: .* is ambiguous/);
  refuses("fills", FILL, "liquidity", [true, false], /is not a word/);
  refuses("fills", FILL, "liquidity", [5, "both"], /is none of maker, taker, unknown/);
});

test("kinds of reports: words and FIX tag 150; what is a bust to one and a fill to another is refused", () => {
  check("fills", FILL, "exec_type", { new: ["new", "NEW", "trade", "TRADE", "Trade", "fill", "F"] });
  const correction = { ...FILL, corrects_fill_id: "e" };
  check("fills", correction, "exec_type", {
    bust: ["bust", "Busted", "TRADE_CANCEL", "H"],
    correct: ["correct", "correction", "TradeCorrect", "G"],
  });
  refuses("fills", FILL, "exec_type", [0, 1, "2", 3, "canceled", "BustTrade"], /is ambiguous/);
  refuses("fills", FILL, "exec_type", ["funding", "f", "h"], /exec_type/);
});

test("severities and decisions of any logger and risk engine; numbers of loggers contradict each other", () => {
  const event = { ts: 1n, kind: "link" };
  check("system_events", event, "severity", {
    info: ["info", "INFO", "notice", "DEBUG"],
    warning: ["warning", "WARN", "Warning"],
    error: ["error", "ERR"],
    critical: ["critical", "FATAL", "emerg"],
  });
  refuses(
    "system_events",
    event,
    "severity",
    [40, "40", "bad", ""],
    /is none of info, warning, error, critical/,
  );
  check("risk_decisions", { ts: 1n, strategy: "s" }, "decision", {
    accept: ["accept", "ACCEPTED", "Allow", "approved"],
    reduce: ["reduce", "Reduced"],
    reject: ["REJECT", "denied", "blocked"],
    ask_trader: ["AskTrader"],
  });
});

test("symbols stay as the venue writes them, without white space around them", () => {
  const symbols: Words = {
    BTCUSDT: ["BTCUSDT", " BTCUSDT", "BTCUSDT\n", "\u00a0BTCUSDT\t"],
    "BRK B": ["BRK B"],
    "btc-perp/usd": ["btc-perp/usd"],
    "1000币安人生": ["1000币安人生"],
  };
  check("market_data", TICK, "symbol", symbols);
  check("orders", ORDER, "symbol", symbols);
  check("positions_intraday", {}, "symbol", symbols);
  refuses("market_data", TICK, "symbol", ["", " ", "\t\n"], /symbol: .* is empty/);
});

test("more different words than are remembered are still read", () => {
  const orders = new Normaliser({ depth: 5 }).of("orders");
  for (let number = 0; number < 5000; number += 1) {
    const row = { ...ORDER, client_order_id: `c${number}`, status: `Odd State ${number}` };
    orders.normalise(row);
    assert.equal(row.status, `odd_state_${number}`);
  }
});

test("tables without vocabularies, and users' own, keep their rows as they are", () => {
  const row = { ts: 1n, side: "BUY", symbol: " x " };
  const tables = new Normaliser({ depth: 5 });
  for (const table of ["account_state", "guardrail_transitions", "my_table"]) tables.of(table).normalise(row);
  assert.deepEqual(row, { ts: 1n, side: "BUY", symbol: " x " });
});
