import assert from "node:assert/strict";
import { test } from "node:test";
import { ms, us } from "../../src/index.js";
import {
  type Adapter,
  binance,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  hyperliquid,
  okx,
  parseMessage,
} from "../../src/venues/index.js";

const RECEIVED = 1_714_550_400_000_000_123n;
const OWNER = { strategy: "maker", account: "a1" };

/** What an adapter makes of a message, which is given as the text that a socket would give. */
function read(adapter: Adapter, text: string): unknown {
  return adapter(parseMessage(text), RECEIVED);
}

test("Binance: quotes, trades and aggregate trades keep every digit, and ids beyond 2^53", () => {
  const usdm = binance({ market: "usdm" });
  assert.deepEqual(
    read(
      usdm,
      `{"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":9007199254740993,"s":"ABCUSDT","b":"61800.20",
        "B":"2.507","a":"61800.30","A":"2.510","T":1714550399998,"E":1714550399999}}`,
    ),
    [
      {
        type: "quote",
        ts_exchange: ms(1714550399998),
        ts_local: RECEIVED,
        symbol: "ABCUSDT",
        bid_px1: "61800.20",
        bid_sz1: "2.507",
        ask_px1: "61800.30",
        ask_sz1: "2.510",
        venue: "binance-usdm",
        exchange_seq: "9007199254740993",
      },
    ],
  );
  const trade = {
    type: "trade",
    ts_exchange: ms(1714550399998),
    ts_local: RECEIVED,
    symbol: "ABCUSD_PERP",
    last_px: "12.50",
    last_qty: "4",
    venue: "binance-coinm",
  };
  const coinm = binance({ market: "coinm" });
  assert.deepEqual(
    read(coinm, `{"e":"trade","T":1714550399998,"s":"ABCUSD_PERP","t":7,"p":"12.50","q":"4","m":true}`),
    [{ ...trade, last_side: "sell", exchange_seq: "7" }],
  );
  assert.deepEqual(
    read(coinm, `{"e":"aggTrade","T":1714550399998,"s":"ABCUSD_PERP","a":8,"p":"12.50","q":"4","m":false}`),
    [{ ...trade, last_side: "buy", exchange_seq: "8" }],
  );
});

test("Binance: a change of the book names the state it builds on; a fetched snapshot takes its symbol from the options", () => {
  const book = { type: "book", venue: "binance-usdm", symbol: "ABCUSDT", ts_local: RECEIVED };
  assert.deepEqual(
    read(
      binance({ market: "usdm" }),
      `{"e":"depthUpdate","T":5,"s":"ABCUSDT","U":402,"u":405,"pu":401,"b":[["12.50","2.100"]],"a":[["12.52","0.000"]]}`,
    ),
    [
      {
        ...book,
        ts_exchange: ms(5),
        action: "change",
        bids: [{ px: "12.50", sz: "2.100" }],
        asks: [{ px: "12.52", sz: "0.000" }],
        last: 405n,
        previous: 401n,
      },
    ],
  );
  const snapshot = `{"lastUpdateId":404,"E":7,"T":6,"bids":[["12.50","2"]],"asks":[]}`;
  assert.deepEqual(read(binance({ market: "usdm", symbol: "ABCUSDT" }), snapshot), [
    {
      ...book,
      ts_exchange: ms(6),
      action: "fetched",
      bids: [{ px: "12.50", sz: "2" }],
      asks: [],
      last: 404n,
    },
  ]);
  assert.throws(() => read(binance({ market: "usdm" }), snapshot), /has no symbol/);
});

test("Coinbase: the side of a match is the maker's, so the aggressor's is the other; a ticker is a quote without sizes", () => {
  const common = { ts_local: RECEIVED, symbol: "ABC-EUR", venue: "coinbase" };
  assert.deepEqual(
    read(
      coinbase(),
      `{"type":"match","trade_id":89,"side":"sell","size":"0.10","price":"12.75","product_id":"ABC-EUR","sequence":34,"time":"2024-05-01T08:00:00.123456Z"}`,
    ),
    [
      {
        type: "trade",
        ts_exchange: "2024-05-01T08:00:00.123456Z",
        ...common,
        last_px: "12.75",
        last_qty: "0.10",
        last_side: "buy",
        exchange_seq: "89",
      },
    ],
  );
  assert.deepEqual(
    read(
      coinbase(),
      `{"type":"ticker","sequence":33,"product_id":"ABC-EUR","price":"12.6","best_bid":"12.50","best_ask":"12.75","time":"2024-05-01T08:00:00Z"}`,
    ),
    [
      {
        type: "quote",
        ts_exchange: "2024-05-01T08:00:00Z",
        ...common,
        bid_px1: "12.50",
        ask_px1: "12.75",
        exchange_seq: "33",
      },
    ],
  );
  assert.deepEqual(
    read(
      coinbase(),
      `{"type":"l2update","product_id":"ABC-EUR","changes":[["sell","12.75","0"],["buy","12.5","3"]],"time":"2024-05-01T08:00:00Z"}`,
    ),
    [
      {
        type: "book",
        ts_exchange: "2024-05-01T08:00:00Z",
        ...common,
        action: "change",
        bids: [{ px: "12.5", sz: "3" }],
        asks: [{ px: "12.75", sz: "0" }],
      },
    ],
  );
  assert.deepEqual(read(coinbase(), `{"type":"last_match","product_id":"ABC-EUR"}`), []);
});

test("Bybit: inverse contracts send numbers, linear ones text, and both give the same", () => {
  const inverse = `{"topic":"orderBookL2_25.ABCUSD","type":"delta","data":{"delete":[{"price":"7.943","symbol":"ABCUSD",
    "id":79430,"side":"Buy"}],"update":[],"insert":[{"price":"7.95","symbol":"ABCUSD","id":79500,"side":"Sell","size":40}]},
    "cross_seq":25,"timestamp_e6":1714550399000001}`;
  const linear = inverse
    .replace(`"cross_seq":25`, `"cross_seq":"25"`)
    .replace("1714550399000001", `"1714550399000001"`);
  const want = [
    {
      type: "book",
      venue: "bybit",
      symbol: "ABCUSD",
      ts_local: RECEIVED,
      ts_exchange: us(1714550399000001),
      action: "change",
      bids: [{ px: "7.943", sz: "0" }],
      asks: [{ px: "7.95", sz: "40" }],
      last: 25n,
    },
  ];
  assert.deepEqual(read(bybit(), inverse), want);
  assert.deepEqual(read(bybit(), linear), want);
  const level = `{"price":"7.943","symbol":"ABCUSD","id":79430,"side":"Buy","size":154}`;
  const snapshot = (data: string): string =>
    `{"topic":"orderBookL2_25.ABCUSD","type":"snapshot","data":${data},"cross_seq":24,"timestamp_e6":1}`;
  assert.deepEqual(
    read(bybit(), snapshot(`[${level}]`)),
    read(bybit(), snapshot(`{"order_book":[${level}]}`)),
  );
  assert.deepEqual(
    read(
      bybit(),
      `{"topic":"trade.ABCUSD","data":[{"trade_time_ms":1714550399614,"symbol":"ABCUSD","side":"Sell","size":4,"price":7.950,"trade_id":"5f","cross_seq":26}]}`,
    ),
    [
      {
        type: "trade",
        ts_exchange: ms(1714550399614),
        ts_local: RECEIVED,
        symbol: "ABCUSD",
        last_px: "7.950",
        last_qty: "4",
        last_side: "sell",
        venue: "bybit",
        exchange_seq: "26",
      },
    ],
  );
});

test("BitMEX: levels go by their ids, several symbols of a message are told apart, old trades are left out", () => {
  const book = { type: "book", venue: "bitmex", ts_local: RECEIVED, action: "change" };
  assert.deepEqual(
    read(
      bitmex(),
      `{"table":"orderBookL2","action":"update","data":[{"symbol":"ABCUSDT","id":51999982703,"side":"Sell","size":123},
        {"symbol":"XYZUSDT","id":7,"side":"Buy","size":9},{"symbol":"ABCUSDT","id":51999982704,"side":"Buy","size":5}]}`,
    ),
    [
      {
        ...book,
        symbol: "ABCUSDT",
        bids: [{ px: undefined, sz: "5", id: "51999982704" }],
        asks: [{ px: undefined, sz: "123", id: "51999982703" }],
      },
      { ...book, symbol: "XYZUSDT", bids: [{ px: undefined, sz: "9", id: "7" }], asks: [] },
    ],
  );
  const quotes = read(
    bitmex(),
    `{"table":"quote","action":"insert","data":[{"timestamp":"2024-05-01T08:00:00.014Z","symbol":"ABCUSDT","bidSize":750,
      "bidPrice":0.00001814,"askPrice":1.819e-5,"askSize":123}]}`,
  ) as readonly Record<string, unknown>[];
  assert.deepEqual([quotes[0]!["bid_px1"], quotes[0]!["ask_px1"]], ["0.00001814", "1.819e-5"]);
  assert.deepEqual(read(bitmex(), `{"table":"trade","action":"partial","data":[{"symbol":"ABCUSDT"}]}`), []);
});

test("Bitstamp: trades are read from the text beside the numbers, a full book is a snapshot, a difference a change", () => {
  assert.deepEqual(
    read(
      bitstamp(),
      `{"data":{"id":216,"timestamp":"1714550399","amount":0.0792,"amount_str":"0.07920000","price":12.5,"price_str":"12.50",
        "type":1,"microtimestamp":"1714550399596001"},"channel":"live_trades_abcusd","event":"trade"}`,
    ),
    [
      {
        type: "trade",
        ts_exchange: us(1714550399596001),
        ts_local: RECEIVED,
        symbol: "abcusd",
        last_px: "12.50",
        last_qty: "0.07920000",
        last_side: "sell",
        venue: "bitstamp",
        exchange_seq: "216",
      },
    ],
  );
  const data = `{"timestamp":"1714550399","microtimestamp":"1714550399596001","bids":[["12.50","1"]],"asks":[]}`;
  const want = {
    type: "book",
    venue: "bitstamp",
    symbol: "abcusd",
    ts_local: RECEIVED,
    ts_exchange: us(1714550399596001),
    bids: [{ px: "12.50", sz: "1" }],
    asks: [],
    last: 1714550399596001n,
  };
  const push = (channel: string): string => `{"data":${data},"channel":"${channel}_abcusd","event":"data"}`;
  assert.deepEqual(read(bitstamp(), push("diff_order_book")), [{ ...want, action: "change" }]);
  assert.deepEqual(read(bitstamp(), push("order_book")), [{ ...want, action: "snapshot" }]);
  assert.deepEqual(read(bitstamp({ symbol: "abcusd" }), data), [{ ...want, action: "fetched" }]);
});

const OKX_ORDER = {
  instId: "ABC-USDT",
  ordId: "452197707845865472",
  clOrdId: "mine1",
  side: "sell",
  ordType: "limit",
  px: "31527.10",
  sz: "0.0020",
  accFillSz: "0.0010",
  state: "partially_filled",
  tradeId: "242589207",
  fillPx: "31527.2",
  fillSz: "0.0010",
  fillTime: "1714550399263",
  fillFee: "-0.02522168",
  fillFeeCcy: "USDT",
  execType: "M",
  uTime: "1714550399264",
};

test("OKX: a push of an order is a step and, where something was executed, a fill whose paid fee is positive", () => {
  const push = (order: object): string =>
    JSON.stringify({ arg: { channel: "orders", instType: "SPOT", uid: "1" }, data: [order] });
  const ids = {
    client_order_id: "mine1",
    broker_order_id: "452197707845865472",
    strategy: "maker",
    account_id: "a1",
    symbol: "ABC-USDT",
    side: "sell",
  };
  const step = {
    type: "order",
    ts: ms(1714550399264),
    ts_ack: RECEIVED,
    ...ids,
    qty: "0.0020",
    limit_px: "31527.10",
    order_type: "limit",
    status: "partially_filled",
    filled_qty: "0.0010",
  };
  const fill = {
    type: "fill",
    ts_exchange: ms(1714550399263),
    ts_local: RECEIVED,
    fill_id: "242589207",
    ...ids,
    fill_qty: "0.0010",
    fill_px: "31527.2",
    liquidity: "maker",
    fees: "0.02522168",
    fee_currency: "USDT",
    venue: "okx",
  };
  assert.deepEqual(read(okx(OWNER), push(OKX_ORDER)), [step, fill]);
  const rebate = { ...OKX_ORDER, fillFee: "0.01", clOrdId: "" };
  const [, rebated] = read(okx(OWNER), push(rebate)) as readonly Record<string, unknown>[];
  assert.deepEqual([rebated!["fees"], rebated!["client_order_id"]], ["-0.01", "452197707845865472"]);
  const live = { ...OKX_ORDER, state: "live", tradeId: "", fillSz: "0", accFillSz: "0", px: "" };
  const { limit_px: _, ...market } = step;
  assert.deepEqual(read(okx(OWNER), push(live)), [{ ...market, status: "live", filled_qty: "0" }]);
});

test("Hyperliquid: A is the ask's side, crossed the taker; a fill without a trade id is named by what it says", () => {
  const fill = `{"coin":"ABC","px":"1.3281","sz":"104.4","side":"A","dir":"Open Short","crossed":true,"fee":"0.05","oid":1893,
    "closedPnl":"0.0","startPosition":"-1839.2","hash":"0xb4","time":1714550399699}`;
  const ids = {
    client_order_id: "1893",
    broker_order_id: "1893",
    strategy: "maker",
    account_id: "a1",
    symbol: "ABC",
  };
  const want = {
    type: "fill",
    ts_exchange: ms(1714550399699),
    ts_local: RECEIVED,
    fill_id: "0xb4:1893:-1839.2:1.3281:104.4",
    ...ids,
    side: "sell",
    fill_qty: "104.4",
    fill_px: "1.3281",
    liquidity: "taker",
    fees: "0.05",
    fee_currency: "USDC",
    venue: "hyperliquid",
  };
  assert.deepEqual(read(hyperliquid(OWNER), `[${fill}]`), [want]);
  assert.deepEqual(read(hyperliquid(OWNER), fill.replace(`"oid"`, `"tid":5,"oid"`)), [
    { ...want, fill_id: "5" },
  ]);
  assert.deepEqual(
    read(
      hyperliquid(OWNER),
      `{"coin":"ABC","limitPx":"15.578","sz":"232.06","side":"B","oid":1893,"timestamp":1714550390307}`,
    ),
    [
      {
        type: "order",
        ts: ms(1714550390307),
        ...ids,
        side: "buy",
        qty: "232.06",
        limit_px: "15.578",
        order_type: "limit",
        status: "new",
      },
    ],
  );
  assert.deepEqual(
    read(hyperliquid(OWNER), `{"delta":{"coin":"ABC","type":"funding"},"hash":"0x","time":1}`),
    [],
  );
});
