import { INSTANT_BASE } from "../src/native/instant-number.js";

/** The rows of the hot path benchmark, as a trading program writes them: an object literal per call. */
export const CALLS = {
  quote: {
    what: "L1 quote",
    table: "market_data",
    literal: `{
      ts_exchange: start + i + BASE, ts_local: start + i + BASE, symbol: SYMBOLS[i & 7], kind: "quote", venue: "BENCH",
      bid_px1: 61800 + (i & 1023) * 0.01, bid_sz1: 1.5, ask_px1: 61801 + (i & 1023) * 0.01, ask_sz1: 0.25,
      exchange_seq: i }`,
  },
  depth: {
    what: "L2 depth 5",
    table: "market_data",
    literal: `{
      ts_exchange: start + i + BASE, ts_local: start + i + BASE, symbol: SYMBOLS[i & 7], kind: "depth", venue: "BENCH",
      bid_px: BOOKS[i & 15][0], bid_sz: BOOKS[i & 15][1], ask_px: BOOKS[i & 15][2], ask_sz: BOOKS[i & 15][3],
      exchange_seq: i }`,
  },
  order: {
    what: "order",
    table: "orders",
    literal: `{
      ts: start + i + BASE, client_order_id: IDS[i & 255], strategy: "mm-1", account_id: "A-1", symbol: SYMBOLS[i & 7],
      side: (i & 1) === 0 ? "buy" : "sell", qty: 2.5, limit_px: 61800 + (i & 1023) * 0.01, order_type: "limit",
      tif: "gtc", status: "new" }`,
  },
  fill: {
    what: "fill",
    table: "fills",
    literal: `{
      ts_exchange: start + i + BASE, client_order_id: IDS[i & 255], fill_id: IDS[(i + 7) & 255], exec_type: "new",
      strategy: "mm-1", account_id: "A-1", symbol: SYMBOLS[i & 7], side: (i & 1) === 0 ? "buy" : "sell", fill_qty: 0.5,
      fill_px: 61800 + (i & 1023) * 0.01, liquidity: "maker", fees: 0.0125, fee_currency: "USDT", venue: "BENCH" }`,
  },
} as const;

export type CallName = keyof typeof CALLS;

/** What is called with each row: the recorder, or what others would do in its place. */
export type Take = (row: Record<string, unknown>) => unknown;

/** Milliseconds of each call: from its beginning, and from the moment it was meant to begin. */
export interface Times {
  readonly service: Float64Array;
  readonly response: Float64Array;
}

/**
 * Calls `take` and `empty` in turn, `rows` times each, as if both had schedules of their own with `period` milliseconds between two
 * rows (0: one after the other); so both meet the same disturbances. Gives the rows that were not taken.
 */
export type Loop = (
  take: Take,
  empty: Take,
  rows: number,
  period: number,
  taken: Times,
  nothing: Times,
) => number;

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "EURUSD", "XAUUSD", "NZDUSD", "AAPL", "ESZ6"];
const IDS: readonly string[] = Array.from({ length: 256 }, (_, i) => `d1-${1_723_118_400_000 + i * 37}`);
const BOOKS: readonly number[][][] = Array.from({ length: 16 }, (_, book) =>
  [61_800, 1.5, 61_801, 0.25].map((from) =>
    Array.from({ length: 5 }, (_, level) => from + book + level / 100),
  ),
);
const PARTS = {
  BASE: INSTANT_BASE,
  start: Date.now() * 1000,
  now: () => performance.now(),
  SYMBOLS,
  IDS,
  BOOKS,
};

let compiled = 0;

/** Code of its own each time, in which the literal stands as it would in a program: what else is called does not slow it. */
function compile<T>(source: string): T {
  compiled += 1;
  return new Function(...Object.keys(PARTS), `"use strict"; // ${compiled}\n${source}`)(
    ...Object.values(PARTS),
  ) as T;
}

/**
 * Steps of arithmetic between two looks at the clock, some tenths of a microsecond: each look leaves a number to the garbage
 * collector, and a wait that only looks would push what the call needs out of the cache.
 */
const PAUSE_TURNS = 200;

export function compileLoop(literal: string): Loop {
  const timed = (call: string, times: string, offset: string): string => `
    intended = begun + (n + ${offset}) * period;
    from = now();
    if (period > 0) while (from < intended) {
      for (let turn = 0; turn < ${PAUSE_TURNS}; turn++) pause = (Math.imul(pause, 1103515245) + 12345) | 0;
      from = now();
    }
    answer = ${call}(${literal});
    to = now();
    ${times}.service[n] = to - from;
    ${times}.response[n] = to - (period > 0 ? intended : from);`;
  return compile(`let first = 0;
return function (take, empty, rows, period, taken, nothing) {
  const begun = now() + 0.1;
  let refused = 0, pause = 1, intended, from, to, answer;
  for (let n = 0; n < rows; n++) {
    const i = first + n;${timed("empty", "nothing", "0.5")}${timed("take", "taken", "1")}
    if (answer === false) refused++;
  }
  first += rows;
  return pause === 0 ? refused + 0 : refused;
};`);
}

/** Rows one after the other, without a look at the clock: for what they allocate. */
export function compilePlain(literal: string): (take: Take, rows: number) => void {
  return compile(`return function (take, rows) { for (let i = 0; i < rows; i++) take(${literal}); };`);
}

let kept: unknown;

/** A call that does nothing, but for which the row has to be made. */
export function emptyCall(row: unknown): boolean {
  kept = row;
  return kept !== null;
}
