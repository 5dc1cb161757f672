import { setTimeout as delay } from "node:timers/promises";
import { type RecordingClient, us } from "../src/index.js";
import { emptyCall } from "./hot-path-calls.js";

/** Critical rows as the benchmark of the log records them. */
export type Recorded = "narrow" | "orders";

/** What takes the rows. */
interface Taker {
  readonly orders: Pick<RecordingClient["orders"], "record">;
  table(name: string): Pick<ReturnType<RecordingClient["table"]>, "record">;
}

const NOBODY: Taker = { orders: { record: emptyCall }, table: () => ({ record: emptyCall }) };

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "EURUSD", "XAUUSD", "NZDUSD"];
const START_US = Date.now() * 1000;
/** Longest stretch without a look at the clock. */
const STRETCH_ROWS = 512;

/** One function per kind of row, with a literal of its own, as a trading program has it: row `n`, and whether it was taken. */
export function recordRow(recorder: Taker, kind: Recorded): (n: number) => boolean {
  if (kind === "orders") {
    const { orders } = recorder;
    return (n) =>
      orders.record({
        ts: us(START_US + n),
        client_order_id: `o-${n}`,
        strategy: "mm",
        symbol: SYMBOLS[n % 6]!,
        side: "buy",
        qty: 1 + (n % 7),
        limit_px: 61_800 + (n % 10_000) / 100,
        status: "new",
      });
  }
  const table = recorder.table("bench_l1");
  return (n) => {
    const price = 61_800 + (n % 10_000) / 100;
    return table.record({
      ts_exchange: us(START_US + n),
      ts_local: us(START_US + n),
      symbol: SYMBOLS[n % 6],
      bid_px1: price,
      bid_sz1: n % 1_000_000,
      ask_px1: price + 0.01,
      ask_sz1: 1.25,
    });
  };
}

/** Records `rows` rows as fast as they are taken, from number `from` on. */
export async function recordAll(record: (n: number) => boolean, from: number, rows: number): Promise<void> {
  for (let n = from; n < from + rows; ) {
    const end = Math.min(n + STRETCH_ROWS, from + rows);
    while (n < end && record(n)) n += 1;
    // The ring is full, or others have a turn.
    await (n < end ? delay(1) : new Promise(setImmediate));
  }
}

/** Makes as many rows in the same way, for a recorder that does nothing. */
export async function generate(kind: Recorded, rows: number): Promise<void> {
  await recordAll(recordRow(NOBODY, kind), 0, rows);
}
