import { seededRandom } from "./random.js";

/** One simulated event: the table it belongs to and its row. */
export interface SimulatedEvent {
  readonly table: string;
  readonly row: Readonly<Record<string, unknown>>;
}

interface Instrument {
  readonly symbol: string;
  readonly tick: number;
  /** Mid price in ticks. */
  mid: number;
  spread: number;
  position: number;
}

const INSTRUMENTS: readonly (readonly [symbol: string, price: number, tick: number])[] = [
  ["SIM-BTCUSDT", 61_800, 0.1],
  ["SIM-ETHUSDT", 2_680, 0.01],
  ["SIM-EURUSD", 1.391, 0.00001],
  ["SIM-XAUUSD", 1_284, 0.01],
];
const STRATEGY = "sim-maker";
const ACCOUNT = "SIM-1";
const SECOND_NS = 1_000_000_000n;

/**
 * A market and a market maker that do not exist. Everything it produces says so: symbols begin with `SIM-`, the venue is
 * `SIM`. Prices walk at random by ticks; about one event in ten is a trade, one in fifty an order, filled half the time.
 */
export class Simulator {
  readonly #random: () => number;
  readonly #instruments: Instrument[];
  #orders = 0;
  #nextSnapshot = 0n;
  #pnl = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#instruments = INSTRUMENTS.map(([symbol, price, tick]) => ({
      symbol,
      tick,
      mid: Math.round(price / tick),
      spread: 1,
      position: 0,
    }));
  }

  /** The next events at a time in nanoseconds: one market event, sometimes an order with what follows, snapshots. */
  *next(now: bigint): Generator<SimulatedEvent> {
    const instrument = this.#instruments[Math.floor(this.#random() * this.#instruments.length)]!;
    yield this.#random() < 0.1 ? this.#trade(instrument, now) : this.#quote(instrument, now);
    if (this.#random() < 0.02) yield* this.#order(instrument, now);
    if (now >= this.#nextSnapshot) {
      this.#nextSnapshot = now + SECOND_NS;
      yield* this.#snapshots(now);
    }
  }

  #price(instrument: Instrument, ticks: number): number {
    return ticks * instrument.tick;
  }

  #size(): number {
    return Math.ceil(this.#random() * 1000) / 100;
  }

  #market(instrument: Instrument, kind: string, now: bigint, columns: object): SimulatedEvent {
    const row = {
      ts_exchange: now,
      ts_local: now,
      symbol: instrument.symbol,
      kind,
      venue: "SIM",
      ...columns,
    };
    return { table: "market_data", row };
  }

  #quote(instrument: Instrument, now: bigint): SimulatedEvent {
    instrument.mid += Math.floor(this.#random() * 3) - 1;
    instrument.spread = 1 + Math.floor(this.#random() * 3);
    return this.#market(instrument, "quote", now, {
      bid_px1: this.#price(instrument, instrument.mid - instrument.spread),
      bid_sz1: this.#size(),
      ask_px1: this.#price(instrument, instrument.mid + instrument.spread),
      ask_sz1: this.#size(),
    });
  }

  #trade(instrument: Instrument, now: bigint): SimulatedEvent {
    const buy = this.#random() < 0.5;
    return this.#market(instrument, "trade", now, {
      last_px: this.#price(instrument, instrument.mid + (buy ? instrument.spread : -instrument.spread)),
      last_qty: this.#size(),
      last_side: buy ? "buy" : "sell",
    });
  }

  *#order(instrument: Instrument, now: bigint): Generator<SimulatedEvent> {
    const id = `sim-${++this.#orders}`;
    const buy = this.#random() < 0.5;
    const side = buy ? "buy" : "sell";
    const qty = this.#size();
    const limit = this.#price(instrument, instrument.mid + (buy ? instrument.spread : -instrument.spread));
    const { symbol } = instrument;
    const refused = Math.abs(instrument.position) > 50;
    const common = { strategy: STRATEGY, account_id: ACCOUNT, symbol, client_order_id: id };
    yield {
      table: "risk_decisions",
      row: {
        ...common,
        ts: now,
        risk_decision_id: `risk-${id}`,
        decision: refused ? "reject" : "accept",
        reason_code: refused ? "POSITION_LIMIT" : null,
        position: instrument.position,
        limits: { position: "50" },
      },
    };
    const order = {
      ...common,
      side,
      qty,
      limit_px: limit,
      order_type: "limit",
      tif: "ioc",
      risk_decision_id: `risk-${id}`,
    };
    if (refused) {
      yield {
        table: "orders",
        row: { ...order, ts: now, status: "rejected", reject_reason: "POSITION_LIMIT" },
      };
      instrument.position = 0;
      return;
    }
    yield {
      table: "orders",
      row: { ...order, ts: now, ts_intent: now, ts_send: now + 20_000n, status: "new" },
    };
    if (this.#random() < 0.5) {
      yield { table: "orders", row: { ...order, ts: now + 900_000n, status: "canceled", filled_qty: 0 } };
      return;
    }
    instrument.position += buy ? qty : -qty;
    this.#pnl += (this.#random() - 0.5) * qty;
    yield { table: "orders", row: { ...order, ts: now + 800_000n, status: "filled", filled_qty: qty } };
    yield {
      table: "fills",
      row: {
        ...common,
        ts_exchange: now + 800_000n,
        ts_local: now + 850_000n,
        fill_id: `fill-${id}`,
        exec_type: "new",
        side,
        fill_qty: qty,
        fill_px: limit,
        liquidity: "taker",
        fees: qty * 0.0004,
        fee_currency: "USD",
        venue: "SIM",
      },
    };
  }

  *#snapshots(now: bigint): Generator<SimulatedEvent> {
    for (const { symbol, position } of this.#instruments) {
      yield {
        table: "positions_intraday",
        row: { ts: now, account_id: ACCOUNT, symbol, strategy: STRATEGY, position_qty: position },
      };
    }
    yield {
      table: "account_state",
      row: { ts: now, account_id: ACCOUNT, equity: 1_000_000 + this.#pnl, cash: 1_000_000, currency: "USD" },
    };
  }
}
