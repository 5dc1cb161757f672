import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse } from "../../src/index.js";
import {
  type Adapter,
  binance,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  hyperliquid,
  okx,
  readCapture,
  replay,
  type VenueEvent,
  VenueFeed,
} from "../../src/venues/index.js";
import { temporaryFolder } from "../support/folder.js";
import { NaiveBook } from "./naive-book.js";

/** Recordings of live markets that are not part of the repository; COLDPATH_TEST_DATA says where they are. */
const DATA = process.env["COLDPATH_TEST_DATA"] ?? join("..", "shared", "data");
const skip = existsSync(DATA) ? false : `there are no recordings at ${DATA}`;
const DEPTH = 5;
const OWNER = { strategy: "tested", account: "a" };

// biome-ignore lint/suspicious/noExplicitAny: messages as JSON.parse gives them
type Message = any;

/** What a message says of books: the side, price and size of each level; `clear` names a book that begins anew. */
type Levels = Iterable<readonly [symbol: string, side: "bids" | "asks", px: number, sz: number]>;
interface Said {
  readonly clear?: string;
  readonly levels?: Levels;
  readonly trades?: readonly Message[];
  readonly quotes?: readonly Message[];
}

const sideOf = (word: string): "bids" | "asks" => (word.toLowerCase() === "buy" ? "bids" : "asks");
const bothSides = (symbol: string, data: Message): Levels =>
  (["bids", "asks"] as const).flatMap((side) =>
    data[side].map(([px, sz]: string[]) => [symbol, side, Number(px), Number(sz)] as const),
  );

/** Prices of BitMEX levels by symbol and id. */
const bitmexPrices = new Map<string, number>();

const ORACLES: readonly (readonly [file: string, adapter: Adapter, read: (message: Message) => Said])[] = [
  [
    "coinbase-20210417",
    coinbase(),
    (message) => {
      const symbol = message.product_id;
      if (message.type === "snapshot") return { clear: symbol, levels: bothSides(symbol, message) };
      if (message.type === "ticker") return { quotes: [[symbol, message.best_bid, message.best_ask]] };
      if (message.type === "match") return { trades: [[symbol, message.price, message.size]] };
      if (message.type !== "l2update") return {};
      return {
        levels: message.changes.map(([side, px, sz]: string[]) => [
          symbol,
          sideOf(side!),
          Number(px),
          Number(sz),
        ]),
      };
    },
  ],
  ...(["bybit-linear-20210417", "bybit-inverse-20210417"] as const).map(
    (file) =>
      [
        file,
        bybit(),
        ({ topic = "", type, data }: Message): Said => {
          const [channel, symbol] = topic.split(".");
          if (channel === "trade")
            return { trades: data.map((each: Message) => [each.symbol, each.price, each.size]) };
          if (channel !== "orderBookL2_25") return {};
          const level = (each: Message, sz: number) =>
            [symbol, sideOf(each.side), Number(each.price), sz] as const;
          if (type === "snapshot")
            return {
              clear: symbol,
              levels: (data.order_book ?? data).map((each: Message) => level(each, each.size)),
            };
          return {
            levels: [
              ...data.delete.map((each: Message) => level(each, 0)),
              ...data.update.map((each: Message) => level(each, each.size)),
              ...data.insert.map((each: Message) => level(each, each.size)),
            ],
          };
        },
      ] as const,
  ),
  [
    "bitmex-20210722",
    bitmex(),
    ({ table, action, data }) => {
      if (table === "quote")
        return { quotes: data.map((each: Message) => [each.symbol, each.bidPrice, each.askPrice]) };
      if (table === "trade" && action === "insert")
        return { trades: data.map((each: Message) => [each.symbol, each.price, each.size]) };
      if (table !== "orderBookL2") return {};
      const levels = data.map((each: Message) => {
        const key = `${each.symbol} ${each.id}`;
        if (each.price !== undefined) bitmexPrices.set(key, each.price);
        return [
          each.symbol,
          sideOf(each.side),
          bitmexPrices.get(key)!,
          action === "delete" ? 0 : each.size,
        ] as const;
      });
      return { ...(action === "partial" ? { clear: data[0].symbol } : {}), levels };
    },
  ],
  [
    "binance-usdm-20210722",
    binance({ market: "usdm" }),
    // The recording has no snapshot, so there are no books.
    ({ data }) => {
      if (data.e === "bookTicker") return { quotes: [[data.s, data.b, data.a]] };
      return data.e === "aggTrade" ? { trades: [[data.s, data.p, data.q]] } : {};
    },
  ],
  [
    "bitstamp-20220105",
    bitstamp(),
    ({ event, data, channel }) =>
      event === "trade" ? { trades: [[channel.split("_").at(-1), data.price, data.amount]] } : {},
  ],
  [
    "okx-20220513",
    okx(OWNER),
    ({ event, arg, action, data }) => {
      if (event !== undefined) return {};
      if (arg.channel === "tickers")
        return { quotes: data.map((each: Message) => [each.instId, each.bidPx, each.askPx]) };
      if (arg.channel === "trades")
        return { trades: data.map((each: Message) => [each.instId, each.px, each.sz]) };
      const levels = data.flatMap((each: Message) => [...bothSides(arg.instId, each)]);
      return { ...(action === "snapshot" ? { clear: arg.instId } : {}), levels };
    },
  ],
];

function asNumbers(levels: unknown): number[][] {
  return (levels as string[][]).map(([px, sz]) => [Number(px), Number(sz)]);
}

for (const [file, adapter, read] of ORACLES) {
  test(`${file}: each message gives the trades, quotes and books that a plain reading of it gives`, {
    skip,
  }, async (t) => {
    const feed = new VenueFeed({ adapter, depth: DEPTH });
    const books = new Map<string, NaiveBook>();
    const tops = new Map<string, string>();
    const counts = { depth: 0, trades: 0, quotes: 0 };
    for await (const { text, received } of readCapture(join(DATA, "venue-raw-ws", `${file}.txt.gz`))) {
      const events = feed.read(text, received);
      const { clear, levels = [], trades = [], quotes = [] } = read(JSON.parse(text));
      if (clear !== undefined) books.set(clear, new NaiveBook());
      const touched = new Set<string>();
      for (const [symbol, side, px, sz] of levels) {
        books.get(symbol)!.set(side, px, sz);
        touched.add(symbol);
      }
      const changed = [...touched].filter((symbol) => {
        const top = books.get(symbol)!.top(DEPTH);
        const isNew = top !== (tops.get(symbol) ?? "[[],[]]");
        tops.set(symbol, top);
        return isNew;
      });
      const depth = events.filter((event) => event.type === "depth");
      assert.deepEqual(
        depth.map(({ symbol, bids, asks }) => [symbol, JSON.stringify([asNumbers(bids), asNumbers(asks)])]),
        changed.map((symbol) => [symbol, tops.get(symbol)]),
        text.slice(0, 300),
      );
      const traded = events.filter((event) => event.type === "trade");
      assert.deepEqual(
        traded.map(({ symbol, last_px, last_qty }) => [symbol, Number(last_px), Number(last_qty)]),
        trades.map(([symbol, px, qty]: Message) => [symbol, Number(px), Number(qty)]),
      );
      const quoted = events.filter((event) => event.type === "quote");
      assert.deepEqual(
        quoted.map(({ symbol, bid_px1, ask_px1 }) => [symbol, Number(bid_px1), Number(ask_px1)]),
        quotes.map(([symbol, bid, ask]: Message) => [symbol, Number(bid), Number(ask)]),
      );
      counts.depth += depth.length;
      counts.trades += traded.length;
      counts.quotes += quoted.length;
    }
    const { broken, unknown, gaps, early } = feed.counts;
    t.diagnostic(JSON.stringify({ ...counts, broken, unknown, gaps, early }));
    assert.deepEqual({ broken, unknown, gaps }, { broken: {}, unknown: 0, gaps: 0 });
  });
}

const RAW = "SELECT line FROM raw WHERE venue";
const text = (field: string): string => `JSONExtractString(line, '${field}')`;
const time = (millis: string): string => `fromUnixTimestamp64Nano(toInt64(${millis}) * 1000000, 'UTC')`;
/** What plain SQL makes of the messages, and the columns it makes. */
const STORED = [
  [
    "fills",
    "ts_exchange, symbol, side, fill_qty, fill_px, fees, liquidity, client_order_id, strategy, account_id, fee_currency",
    `SELECT ${time("JSONExtractInt(line, 'time')")}, ${text("coin")}, if(${text("side")} = 'B', 'buy', 'sell'), toDecimal128(${text("sz")}, 8),
            toDecimal64(${text("px")}, 8), toDecimal128(${text("fee")}, 8), if(JSONExtractBool(line, 'crossed'), 'taker', 'maker'),
            toString(JSONExtractUInt(line, 'oid')), 'tested', 'a', 'USDC'
     FROM (${RAW} = 'hyperliquid-user-fills')
     UNION ALL
     SELECT ${time("fillTime")}, instId, side, toDecimal128(fillSz, 8), toDecimal64(fillPx, 8), -toDecimal128(fillFee, 8),
            if(execType = 'M', 'maker', 'taker'), if(clOrdId = '', ordId, clOrdId), 'tested', 'a', fillFeeCcy
     FROM okx WHERE tradeId != '' AND length(splitByChar('.', fillFee)[2]) <= 8`,
    376,
  ],
  [
    "orders",
    "ts, symbol, side, qty, limit_px, status, client_order_id, order_type, ifNull(filled_qty, -1)",
    `SELECT ${time("JSONExtractInt(line, 'timestamp')")}, ${text("coin")}, if(${text("side")} = 'B', 'buy', 'sell'), toDecimal128(${text("sz")}, 8),
            toDecimal64OrNull(${text("limitPx")}, 8), 'new', toString(JSONExtractUInt(line, 'oid')), 'limit', -1
     FROM (${RAW} = 'hyperliquid-open-orders')
     UNION ALL
     SELECT ${time("uTime")}, instId, side, toDecimal128(sz, 8), toDecimal64OrNull(px, 8), if(state = 'live', 'new', state),
            if(clOrdId = '', ordId, clOrdId), ordType, toDecimal128(accFillSz, 8)
     FROM okx`,
    200,
  ],
] as const;
const OKX_FIELDS = [
  "instId",
  "side",
  "ordType",
  "state",
  "px",
  "sz",
  "accFillSz",
  "uTime",
  "fillTime",
  "fillSz",
  "fillPx",
  "fillFee",
  "fillFeeCcy",
  "execType",
  "tradeId",
  "clOrdId",
  "ordId",
];

test("fills and orders of real accounts are stored as plain SQL reads them from the messages", {
  skip,
}, async (t) => {
  const data_dir = await temporaryFolder(t);
  const files = [
    ["hyperliquid-user-fills", hyperliquid(OWNER)],
    ["hyperliquid-open-orders", hyperliquid(OWNER)],
    ["hyperliquid-funding-payments", hyperliquid(OWNER)],
    ["okx-private-orders-ws", okx(OWNER)],
  ] as const;
  const pathOf = (file: string): string => join(DATA, "order-messages", `${file}.ndjson.gz`);
  const recorder = await createRecorder({ config: { data_dir } });
  t.after(() => recorder.close({ deadline: 0 }));
  for (const [file, adapter] of files) {
    const source = { feed: new VenueFeed({ adapter }), messages: readCapture(pathOf(file)) };
    await replay([source], (event: VenueEvent) => recorder.events.record(event), {
      speed: Number.POSITIVE_INFINITY,
    });
    const { broken, unknown } = source.feed.counts;
    assert.deepEqual({ broken, unknown }, { broken: {}, unknown: 0 }, file);
  }
  const { tables } = await recorder.close();
  for (const [table, , , rows] of STORED) assert.equal(tables[table]!.stored, rows, table);
  // A fee of twelve decimals, where the column has eight: not rounded, kept apart.
  assert.deepEqual([tables["fills"]!.refused, tables["orders"]!.refused], [{ value_rejected: 1 }, {}]);

  const opened = await openClickHouse(loadConfig({ env: {}, cwd: data_dir, values: { data_dir } }).config);
  t.after(() => opened.close());
  const { clickhouse } = opened;
  await clickhouse.command("CREATE TABLE raw (venue String, line String) ENGINE = Memory");
  for (const [file] of files) {
    const lines = gunzipSync(readFileSync(pathOf(file)))
      .toString()
      .trimEnd()
      .split("\n");
    const rows = lines.map((line) => JSON.stringify({ venue: file, line }));
    await clickhouse.insert({
      sql: "INSERT INTO raw FORMAT JSONEachRow",
      body: Buffer.from(rows.join("\n")),
    });
  }
  const fields = OKX_FIELDS.map((field) => `JSONExtractString(one, '${field}') AS ${field}`);
  await clickhouse.command(
    `CREATE VIEW okx AS SELECT ${fields} FROM (SELECT arrayJoin(JSONExtractArrayRaw(line, 'data')) AS one FROM raw WHERE venue LIKE 'okx%')`,
  );
  for (const [table, columns, expected, rows] of STORED) {
    // As text, so that no type of one side bends the other's values.
    const asText = (select: string): string => `SELECT toString(tuple(*)) AS row FROM (${select})`;
    const [counted] = await clickhouse.rows(
      `SELECT (SELECT count() FROM (${asText(expected)})) AS expected,
              (SELECT count() FROM (${asText(`SELECT ${columns} FROM ${table}`)} EXCEPT ${asText(expected)})) AS only_stored,
              (SELECT count() FROM (${asText(expected)} EXCEPT ${asText(`SELECT ${columns} FROM ${table}`)})) AS only_expected`,
    );
    assert.deepEqual(counted, { expected: `${rows}`, only_stored: "0", only_expected: "0" }, table);
    t.diagnostic(`${table}: ${rows} rows equal, both ways`);
  }
});
