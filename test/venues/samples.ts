import {
  type Adapter,
  binance,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  hyperliquid,
  okx,
} from "../../src/venues/index.js";

const OWNER = { strategy: "s", account: "a" };
const ABC = { symbol: "ABC" };

/** A message of each kind, made up, and the adapter that reads it. */
export const SAMPLES: readonly (readonly [name: string, adapter: Adapter, message: object])[] = [
  ...(
    [
      {
        stream: "abc@bookTicker",
        data: { e: "bookTicker", u: 4, s: "ABC", b: "1.0", B: "2", a: "1.1", A: "3", T: 5 },
      },
      { stream: "abc@trade", data: { e: "trade", T: 5, s: "ABC", t: 6, p: "1.0", q: "2", m: false } },
      { e: "aggTrade", T: 5, s: "ABC", a: 6, p: "1.0", q: "2", m: true },
      { e: "depthUpdate", T: 5, s: "ABC", U: 3, u: 4, pu: 2, b: [["1.0", "2"]], a: [["1.1", "0"]] },
      { lastUpdateId: 4, T: 5, bids: [["1.0", "2"]], asks: [["1.1", "3"]] },
    ] as const
  ).map((message) => ["binance", binance({ market: "usdm", symbol: "ABC" }), message] as const),
  ...(
    [
      { type: "snapshot", product_id: "ABC", bids: [["1.0", "2"]], asks: [["1.1", "3"]] },
      { type: "l2update", product_id: "ABC", changes: [["buy", "1.0", "0"]], time: "2024-05-01T08:00:00Z" },
      {
        type: "ticker",
        product_id: "ABC",
        sequence: 3,
        best_bid: "1",
        best_ask: "2",
        time: "2024-05-01T08:00:00Z",
      },
      { type: "match", product_id: "ABC", trade_id: 3, side: "buy", size: "1", price: "2" },
    ] as const
  ).map((message) => ["coinbase", coinbase(), message] as const),
  ...(
    [
      {
        topic: "orderBookL2_25.ABC",
        type: "snapshot",
        data: { order_book: [{ price: "1", symbol: "ABC", side: "Buy", size: 2 }] },
        cross_seq: "3",
        timestamp_e6: "4",
      },
      {
        topic: "orderBookL2_25.ABC",
        type: "delta",
        data: { delete: [{ price: "1", side: "Buy" }], update: [], insert: [] },
        cross_seq: 3,
        timestamp_e6: 4,
      },
      {
        topic: "trade.ABC",
        data: [{ trade_time_ms: 5, symbol: "ABC", side: "Sell", size: 4, price: 1.5, cross_seq: 6 }],
      },
    ] as const
  ).map((message) => ["bybit", bybit(), message] as const),
  ...(
    [
      {
        table: "orderBookL2",
        action: "partial",
        data: [{ symbol: "ABC", id: 5, side: "Sell", size: 8, price: 17.3 }],
      },
      { table: "orderBookL2", action: "update", data: [{ symbol: "ABC", id: 5, side: "Sell", size: 8 }] },
      {
        table: "quote",
        action: "insert",
        data: [
          {
            timestamp: "2024-05-01T08:00:00Z",
            symbol: "ABC",
            bidSize: 1,
            bidPrice: 2,
            askPrice: 3,
            askSize: 4,
          },
        ],
      },
      {
        table: "trade",
        action: "insert",
        data: [{ timestamp: "2024-05-01T08:00:00Z", symbol: "ABC", side: "Buy", size: 5, price: 17.297 }],
      },
    ] as const
  ).map((message) => ["bitmex", bitmex(), message] as const),
  ...(
    [
      {
        event: "data",
        channel: "diff_order_book_abc",
        data: { microtimestamp: "5", bids: [["1", "2"]], asks: [] },
      },
      { microtimestamp: "5", bids: [["1", "2"]], asks: [["2", "3"]] },
      {
        event: "trade",
        channel: "live_trades_abc",
        data: { id: 2, microtimestamp: "5", price_str: "1.0", amount_str: "2", type: 1 },
      },
    ] as const
  ).map((message) => ["bitstamp", bitstamp(ABC), message] as const),
  ...(
    [
      {
        arg: { channel: "books", instId: "ABC" },
        action: "snapshot",
        data: [{ bids: [["1", "2"]], asks: [], ts: "5" }],
      },
      {
        arg: { channel: "trades", instId: "ABC" },
        data: [{ instId: "ABC", px: "1", sz: "2", side: "buy", ts: "5", tradeId: "6" }],
      },
      {
        arg: { channel: "tickers", instId: "ABC" },
        data: [{ instId: "ABC", bidPx: "1", bidSz: "2", askPx: "3", askSz: "4", ts: "5" }],
      },
      {
        arg: { channel: "orders", instType: "SPOT" },
        data: [
          {
            instId: "ABC",
            ordId: "1",
            clOrdId: "2",
            side: "sell",
            ordType: "limit",
            px: "3",
            sz: "4",
            accFillSz: "4",
            state: "filled",
            tradeId: "5",
            fillPx: "3",
            fillSz: "4",
            fillTime: "6",
            fillFee: "-0.1",
            fillFeeCcy: "USDT",
            execType: "T",
            uTime: "7",
          },
        ],
      },
    ] as const
  ).map((message) => ["okx", okx(OWNER), message] as const),
  ...(
    [
      {
        coin: "ABC",
        px: "1",
        sz: "2",
        side: "B",
        crossed: true,
        fee: "0",
        oid: 3,
        startPosition: "4",
        hash: "0x",
        time: 5,
      },
      { coin: "ABC", limitPx: "1", sz: "2", side: "A", oid: 3, timestamp: 5 },
    ] as const
  ).map((message) => ["hyperliquid", hyperliquid(OWNER), message] as const),
];
