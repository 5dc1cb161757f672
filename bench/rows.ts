import { seededRandom } from "../src/demo/random.js";

/** A row as a program would hand it over: times as bigint nanoseconds, prices as numbers. */
export type BenchRow = Readonly<Record<string, unknown>>;

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "EURUSD", "XAUUSD", "NZDUSD"];
const DEPTH = 5;
/** 2024-08-08 12:00 UTC; one day, so that batches are as large as the flush limits allow. */
const START = 1_723_118_400_000_000_000n;

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Top-of-book changes: times, symbol, best bid and ask. */
export function narrowRows(count: number): BenchRow[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, i) => {
    const mid = 61_800 + Math.round(random() * 10_000) / 100;
    const ts = START + BigInt(i) * 40_000n;
    return {
      ts_exchange: ts,
      ts_local: ts + 150_000n,
      symbol: SYMBOLS[i % SYMBOLS.length]!,
      bid_px1: cents(mid - 0.01),
      bid_sz1: Math.round(random() * 100_000) / 1000,
      ask_px1: cents(mid + 0.01),
      ask_sz1: Math.round(random() * 100_000) / 1000,
    };
  });
}

/** Rows of market_data as a quote feed fills it: best prices, venue and number, no depth. */
export function quoteRows(count: number): BenchRow[] {
  // Written out: objects made by spreading get many hidden classes, which no producer's own literal has.
  return narrowRows(count).map(
    ({ ts_exchange, ts_local, symbol, bid_px1, bid_sz1, ask_px1, ask_sz1 }, i) => ({
      ts_exchange,
      ts_local,
      symbol,
      kind: "quote",
      bid_px1,
      bid_sz1,
      ask_px1,
      ask_sz1,
      venue: "BENCH",
      exchange_seq: 5_123_107_838_717 + i,
    }),
  );
}

/** Rows of market_data with every column of the producer filled: best prices, five levels a side, last trade. */
export function fullRows(count: number): BenchRow[] {
  const random = seededRandom(2);
  const levels = (from: number, step: number): number[] =>
    Array.from({ length: DEPTH }, (_, level) => cents(from + level * step));
  const sizes = (): number[] => Array.from({ length: DEPTH }, () => Math.round(random() * 100_000) / 1000);
  return narrowRows(count).map(
    ({ ts_exchange, ts_local, symbol, bid_px1, bid_sz1, ask_px1, ask_sz1 }, i) => ({
      ts_exchange,
      ts_local,
      symbol,
      kind: "depth",
      bid_px1,
      bid_sz1,
      ask_px1,
      ask_sz1,
      bid_px: levels(bid_px1 as number, -0.01),
      bid_sz: sizes(),
      ask_px: levels(ask_px1 as number, 0.01),
      ask_sz: sizes(),
      last_px: bid_px1,
      last_qty: 0.25,
      last_side: i % 2 === 0 ? "buy" : "sell",
      venue: "BENCH",
      exchange_seq: 5_123_107_838_717 + i,
      skipped: 0,
    }),
  );
}
