import { createRecorder, ms, us } from "coldpath";

const recorder = await createRecorder({ config: { recorder: { id: "desk-1", env: "paper" } } });

// A time is nanoseconds as a bigint, a Date, ISO text, or a number through ms() or us(): a bare number is none.
const now = us(Math.round((performance.timeOrigin + performance.now()) * 1000));

// Market data: without ts_local the time of the call is stored; without ts_exchange too, and marked.
recorder.marketData.record({
  ts_exchange: now,
  symbol: "BTCUSDT",
  kind: "quote",
  bid_px1: "42001.50",
  bid_sz1: 0.25,
  ask_px1: "42001.60",
  ask_sz1: 1,
});

// A bus of mixed messages needs no switch: `type` says which table, the other keys are its columns.
const bus = [
  {
    type: "depth",
    symbol: "BTCUSDT",
    bids: [
      ["42001.50", "0.25"],
      ["42001.40", "3"],
    ],
    asks: [
      ["42001.60", "1"],
      ["42001.90", "0.5"],
    ],
  },
  { type: "trade", symbol: "BTCUSDT", last_px: "42001.60", last_qty: "0.1", last_side: "BUY" },
  {
    type: "risk_decision",
    ts: now,
    strategy: "maker",
    symbol: "BTCUSDT",
    client_order_id: "m-1",
    risk_decision_id: "d-1",
    decision: "accept",
    limits: { gross: "25000" },
  },
  {
    type: "order",
    ts: now,
    client_order_id: "m-1",
    strategy: "maker",
    symbol: "BTCUSDT",
    side: "BUY",
    qty: "0.2",
    limit_px: "42001.50",
    order_type: "LIMIT_MAKER",
    tif: "GTC",
    status: "sent",
    risk_decision_id: "d-1",
  },
  // Later steps, fills and busts carry their ids and what is new; the rest is known.
  { type: "order", ts: now + 1, client_order_id: "m-1", broker_order_id: "77", status: "NEW" },
  { type: "order", ts: now + 2, broker_order_id: "77", status: "PARTIALLY_FILLED", filled_qty: "0.1" },
  {
    type: "fill",
    ts_exchange: now + 2,
    fill_id: "e-1",
    broker_order_id: "77",
    fill_qty: "0.1",
    fill_px: "42001.50",
    liquidity: "M",
  },
  {
    type: "fill",
    ts_exchange: now + 3,
    fill_id: "e-2",
    broker_order_id: "77",
    fill_qty: "0.1",
    fill_px: "42001.50",
    liquidity: "M",
  },
  { type: "fill", ts_exchange: now + 4, fill_id: "e-3", exec_type: "bust", corrects_fill_id: "e-2" },
  { type: "order", ts: now + 5, broker_order_id: "77", status: "CANCELED", filled_qty: "0.1" },
  {
    type: "position",
    ts: ms(Date.now()),
    account_id: "acc",
    symbol: "BTCUSDT",
    position_qty: "0.1",
    avg_px: "42001.50",
  },
  {
    type: "guardrail_transition",
    ts: now,
    guardrail: "drawdown",
    prev_mode: "normal",
    next_mode: "reduce_only",
  },
];
for (const event of bus) recorder.events.record(event);

// What does not fit is kept apart with its reason, and never costs another row.
recorder.events.record({
  type: "order",
  ts: now,
  client_order_id: "m-2",
  strategy: "maker",
  symbol: "BTCUSDT",
  side: "long",
  qty: 1,
  status: "sent",
});

// Ends within the deadline and says where every table stands.
const { tables } = await recorder.close({ deadline: 10_000 });
for (const [table, { offered, refused, stored }] of Object.entries(tables))
  if (offered > 0) console.log(table, { offered, refused, stored });
