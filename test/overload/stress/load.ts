import { ms, type RowOf, us } from "../../../src/index.js";

/** What a stressed recorder is offered: rows a second of market data, and of orders, which are critical. */
export interface Rates {
  readonly market: number;
  readonly critical: number;
}

/** Symbols of the market data. With a hot one, nine of ten rows are the first symbol's. */
export interface Market {
  readonly symbols: number;
  readonly hot: boolean;
}

const KINDS = ["quote", "depth", "trade"] as const;

/** What a producer counted for itself: nothing of it comes from the recorder but what `record()` answered. */
export interface Tally {
  /** Rows that `record()` took, by symbol and kind: see {@link seriesName}. */
  readonly taken: ReadonlyMap<string, number>;
  /** Rows that it did not take. */
  readonly refused: ReadonlyMap<string, number>;
  readonly criticalTaken: number;
  /** Sum of the quantities of critical rows that were taken, each another whole number. */
  readonly criticalSum: number;
  readonly criticalRefused: number;
}

/** Of sixteen rows one is depth, two are trades. */
const ROUND_KINDS: readonly number[] = [0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0];
const ROUND = 16;
const HOT_OF_TEN = 9;
const LEVELS = [0, 1, 2, 3, 4];

/** By which a tally and an account know a series. */
export function seriesName(symbol: string, kind: string): string {
  return `${symbol} ${kind}`;
}

/** Makes rows and hands them over, and counts what became of them. */
export class Load {
  readonly #market: Market;
  readonly #names: readonly string[];
  readonly #taken: Uint32Array;
  readonly #refused: Uint32Array;
  readonly #bids = LEVELS.map((level) => 100 - level / 100);
  readonly #asks = LEVELS.map((level) => 101 + level / 100);
  readonly #sizes = LEVELS.map((level) => level + 1);
  #rows = 0;
  #random = 1;
  #criticalRows = 0;
  #criticalTaken = 0;
  #criticalSum = 0;

  constructor(market: Market) {
    this.#market = market;
    this.#names = Array.from({ length: market.symbols }, (_, symbol) => `S${symbol}`);
    this.#taken = new Uint32Array(market.symbols * KINDS.length);
    this.#refused = new Uint32Array(market.symbols * KINDS.length);
  }

  get rows(): number {
    return this.#rows;
  }

  get criticalRows(): number {
    return this.#criticalRows;
  }

  /** One row of market data. */
  offer(record: (row: RowOf<"market_data">) => boolean): void {
    const symbol = this.#nextSymbol();
    const kind = ROUND_KINDS[this.#rows % ROUND]!;
    const isTaken = record(this.#row(this.#names[symbol]!, kind));
    (isTaken ? this.#taken : this.#refused)[symbol * KINDS.length + kind]! += 1;
    this.#rows += 1;
  }

  offerCritical(record: (row: RowOf<"orders">) => boolean): void {
    const qty = this.#criticalRows + 1;
    this.#criticalRows = qty;
    const isTaken = record({
      ts: ms(Date.now()),
      client_order_id: `o-${qty}`,
      strategy: "stress",
      symbol: this.#names[0]!,
      side: "buy",
      qty,
      status: "new",
    });
    if (!isTaken) return;
    this.#criticalTaken += 1;
    this.#criticalSum += qty;
  }

  tally(): Tally {
    return {
      taken: this.#bySeries(this.#taken),
      refused: this.#bySeries(this.#refused),
      criticalTaken: this.#criticalTaken,
      criticalSum: this.#criticalSum,
      criticalRefused: this.#criticalRows - this.#criticalTaken,
    };
  }

  #bySeries(counts: Uint32Array): Map<string, number> {
    const named = new Map<string, number>();
    for (const [place, count] of counts.entries()) {
      if (count === 0) continue;
      const symbol = this.#names[Math.floor(place / KINDS.length)]!;
      named.set(seriesName(symbol, KINDS[place % KINDS.length]!), count);
    }
    return named;
  }

  #nextSymbol(): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const drawn = this.#random >> 8;
    if (this.#market.hot && drawn % 10 < HOT_OF_TEN) return 0;
    return drawn % this.#market.symbols;
  }

  #row(symbol: string, kind: number): RowOf<"market_data"> {
    const ts = us(Date.now() * 1000);
    const exchange_seq = this.#rows;
    // Half of all quotes repeat the one before: dedup has something to do.
    const price = 100 + ((exchange_seq >> 5) & 1023) / 100;
    if (kind === 0)
      return {
        ts_exchange: ts,
        ts_local: ts,
        symbol,
        kind: "quote",
        bid_px1: price,
        bid_sz1: 1.5,
        ask_px1: price + 1,
        ask_sz1: 0.25,
        exchange_seq,
      };
    if (kind === 1)
      return {
        ts_exchange: ts,
        ts_local: ts,
        symbol,
        kind: "depth",
        bid_px: this.#bids,
        bid_sz: this.#sizes,
        ask_px: this.#asks,
        ask_sz: this.#sizes,
        exchange_seq,
      };
    return {
      ts_exchange: ts,
      ts_local: ts,
      symbol,
      kind: "trade",
      last_px: price,
      last_qty: 1,
      last_side: "buy",
      exchange_seq,
    };
  }
}
