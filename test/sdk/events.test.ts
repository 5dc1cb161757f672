import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse, type RecordedEvent, us } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";

/** A whole second of today, in microseconds. */
const T = Math.floor(Date.now() / 1000) * 1_000_000;
const ORDER = { strategy: "mm", symbol: "BTCUSDT", side: "BUY", qty: "0.5" } as const;

/** Events of a bus, and what plain SQL says of them afterwards, times as microseconds behind `T`. */
const BUS: readonly (readonly [sql: string, stored: string, ...events: RecordedEvent[]])[] = [
  [
    `SELECT kind, symbol, bid_px1, bid_sz1, ask_px1, ask_sz1, bid_px, ts_exchange_src, µs(ts_exchange), µs(ts_local), exchange_seq, venue
     FROM market_data WHERE kind = 'quote' AND symbol = 'EURUSD'`,
    "quote\tEURUSD\t1.1\t2\t1.2\t3\t[]\tvenue\t1.007\t5\t18446744073709551615\tfxcm",
    {
      type: "quote",
      ts_exchange: us(T + 1),
      ts_exchange_ns: 7,
      ts_local: us(T + 5),
      symbol: " EURUSD ",
      bid_px1: "1.10",
      bid_sz1: 2,
      ask_px1: 1.2,
      ask_sz1: 3n,
      exchange_seq: 18446744073709551615n,
      venue: "fxcm",
    },
  ],
  [
    // Nobody gave a time: the time of the call is both, and it says so.
    `SELECT ts_exchange_src, ts_exchange = ts_local, abs(dateDiff('second', ts_local, now())) < 60, bid_px1
     FROM market_data WHERE symbol = 'NOTIME'`,
    "local\t1\t1\t7",
    { type: "quote", symbol: "NOTIME", bid_px1: 7 },
  ],
  [
    `SELECT kind, bid_px, bid_sz, ask_px, ask_sz, bid_px1, bid_sz1, ask_px1, ask_sz1
     FROM market_data WHERE kind = 'depth' ORDER BY ts_local`,
    [
      "depth\t[42001.5,42001]\t[0.1,2]\t[42002.25]\t[3]\t42001.5\t0.1\t42002.25\t3",
      "depth\t[7,6,5,4,3]\t[1,2,3,4,5]\t[]\t[]\t7\t1\t\\N\t\\N",
      "depth\t[2,1]\t[8,9]\t[3]\t[4]\t2\t8\t3\t4",
    ].join("\n"),
    {
      type: "depth",
      ts_local: us(T + 1),
      symbol: "BTCUSDT",
      bids: [
        ["42001.50", "0.1", "0", "4"],
        ["42001", "2", "0", "1"],
      ],
      asks: [{ px: 42002.25, sz: 3 }],
    },
    {
      type: "depth",
      ts_local: us(T + 2),
      symbol: "BTCUSDT",
      bids: [7, 6, 5, 4, 3, 2, 1].map((px, index) => [px, index + 1] as const),
      asks: [],
    },
    {
      type: "depth",
      ts_local: us(T + 3),
      symbol: "BTCUSDT",
      bid_px: [2, 1],
      bid_sz: [8, 9],
      ask_px: [3],
      ask_sz: [4],
    },
  ],
  [
    "SELECT symbol, last_px, last_qty, last_side FROM market_data WHERE kind = 'trade' ORDER BY ts_local",
    "BTCUSDT\t42001.12345678\t0.00000001\tsell\nBTCUSDT\t1\t2\t\\N",
    {
      type: "trade",
      ts_local: us(T),
      symbol: "BTCUSDT",
      last_px: "42001.12345678",
      last_qty: 1e-8,
      last_side: "SELL",
    },
    { type: "trade", ts_local: us(T + 1), symbol: "BTCUSDT", last_px: 1, last_qty: 2, last_side: "" },
  ],
  [
    `SELECT µs(ts), status, client_order_id, broker_order_id, orig_client_order_id, strategy, symbol, side, qty, limit_px, order_type, tif, filled_qty, µs(ts_ack)
     FROM orders ORDER BY ts`,
    [
      "1\tsent\tc1\t\\N\t\\N\tmm\tBTCUSDT\tbuy\t0.5\t42000.5\tlimit_maker\tgtc\t\\N\t\\N",
      "2\tnew\tc1\t77\t\\N\tmm\tBTCUSDT\tbuy\t0.5\t42000.5\tlimit_maker\tgtc\t\\N\t1.5",
      "3\tpartially_filled\tc1\t77\t\\N\tmm\tBTCUSDT\tbuy\t0.5\t42000.5\tlimit_maker\tgtc\t0.2\t\\N",
      "4\treplaced\tc2\t78\tc1\tmm\tBTCUSDT\tbuy\t0.5\t42001\tlimit_maker\tgtc\t\\N\t\\N",
      "5\tcanceled\tc2\t78\tc1\tmm\tBTCUSDT\tbuy\t0.5\t42001\tlimit_maker\tgtc\t0.2\t\\N",
    ].join("\n"),
    {
      type: "order",
      ts: us(T + 1),
      client_order_id: "c1",
      ...ORDER,
      limit_px: "42000.5",
      order_type: "LIMIT_MAKER",
      tif: "GTC",
      status: "sent",
    },
    {
      type: "order",
      ts: us(T + 2),
      ts_ack: us(T + 1),
      ts_ack_ns: 500,
      client_order_id: "c1",
      broker_order_id: "77",
      status: "NEW",
    },
    { type: "order", ts: us(T + 3), broker_order_id: "77", status: "PARTIALLY_FILLED", filled_qty: 0.2 },
    {
      type: "order",
      ts: us(T + 4),
      client_order_id: "c2",
      orig_client_order_id: "c1",
      broker_order_id: "78",
      limit_px: 42001,
      status: "5",
    },
    { type: "order", ts: us(T + 5), broker_order_id: "78", status: "Cancelled", filled_qty: 0.2 },
  ],
  [
    `SELECT µs(ts_exchange), fill_id, exec_type, corrects_fill_id, client_order_id, strategy, symbol, side, fill_qty, fill_px, liquidity, fees, fee_currency
     FROM fills ORDER BY ts_exchange`,
    [
      "1\tf1\tnew\t\\N\tc1\tmm\tBTCUSDT\tbuy\t0.2\t42000.5\tmaker\t-0.01\tBNB",
      "2\tf2\tnew\t\\N\tc1\tmm\tBTCUSDT\tbuy\t0.1\t42000.5\ttaker\t\\N\t\\N",
      "3\tf3\tnew\t\\N\tc1\tmm\tBTCUSDT\tbuy\t0.1\t42000\tunknown\t\\N\t\\N",
      "4\tf4\tcorrect\tf2\tc1\tmm\tBTCUSDT\tbuy\t0.1\t42000.25\tunknown\t\\N\t\\N",
      "5\tf5\tbust\tf3\tc1\tmm\tBTCUSDT\tbuy\t0.1\t42000\tunknown\t\\N\t\\N",
    ].join("\n"),
    {
      type: "fill",
      ts_exchange: us(T + 1),
      fill_id: "f1",
      broker_order_id: "77",
      fill_qty: "0.2",
      fill_px: "42000.5",
      liquidity: "M",
      fees: "-0.01",
      fee_currency: "BNB",
    },
    {
      type: "fill",
      ts_exchange: us(T + 2),
      fill_id: "f2",
      client_order_id: "c1",
      fill_qty: 0.1,
      fill_px: 42000.5,
      liquidity: 2,
    },
    {
      type: "fill",
      ts_exchange: us(T + 3),
      fill_id: "f3",
      client_order_id: "c1",
      fill_qty: 0.1,
      fill_px: 42000,
    },
    {
      type: "fill",
      ts_exchange: us(T + 4),
      fill_id: "f4",
      exec_type: "G",
      corrects_fill_id: "f2",
      fill_qty: 0.1,
      fill_px: 42000.25,
    },
    {
      type: "fill",
      ts_exchange: us(T + 5),
      fill_id: "f5",
      exec_type: "TRADE_CANCEL",
      corrects_fill_id: "f3",
    },
  ],
  [
    // The bust is gone, the correction stands, ts_local is the time of the call.
    `SELECT original_fill_id, fill_id, fill_qty, fill_px, strategy, abs(dateDiff('second', ts_local, now())) < 60
     FROM fills_net ORDER BY original_fill_id`,
    "f1\tf1\t0.2\t42000.5\tmm\t1\nf2\tf4\t0.1\t42000.25\tmm\t1",
  ],
  [
    `SELECT µs(ts), account_id, symbol, strategy, position_qty, avg_px, realized_pnl, unrealized_pnl, fees_accum, gross_exposure, net_exposure
     FROM positions_intraday`,
    "1\tacc\tBTCUSDT\tmm\t-0.5\t42000.5\t1.25\t-2\t0.1\t21000.25\t-21000.25",
    {
      type: "position",
      ts: us(T + 1),
      account_id: "acc",
      symbol: "BTCUSDT ",
      strategy: "mm",
      position_qty: -0.5,
      avg_px: "42000.5",
      realized_pnl: 1.25,
      unrealized_pnl: -2,
      fees_accum: 0.1,
      gross_exposure: 21000.25,
      net_exposure: "-21000.25",
    },
  ],
  [
    `SELECT µs(ts), account_id, equity, cash, margin_used, margin_available, day_pnl, currency, risk_mode
     FROM account_state`,
    "1\tacc\t123456789012345678901234567890.12345678\t1\t2\t3\t-4\tUSD\tnormal",
    {
      type: "account",
      ts: us(T + 1),
      account_id: "acc",
      equity: "123456789012345678901234567890.12345678",
      cash: 1,
      margin_used: 2,
      margin_available: 3,
      day_pnl: -4,
      currency: "USD",
      risk_mode: "normal",
    },
  ],
  [
    `SELECT µs(ts), strategy, symbol, client_order_id, risk_decision_id, decision, reason_code, position, notional, pnl, order_rate, mapSort(limits)
     FROM risk_decisions`,
    "1\tmm\tBTCUSDT\tc9\td1\treject\tmax_position\t-0.5\t21000\t-4\t12.5\t{'gross':25000,'rate':10}",
    {
      type: "risk_decision",
      ts: us(T + 1),
      strategy: "mm",
      symbol: "BTCUSDT",
      client_order_id: "c9",
      risk_decision_id: "d1",
      decision: "DENIED",
      reason_code: "max_position",
      position: -0.5,
      notional: 21000,
      pnl: -4,
      order_rate: 12.5,
      limits: { gross: 25000, rate: 10 },
    },
  ],
  [
    `SELECT µs(ts), guardrail, prev_mode, next_mode, trigger_metric, value, threshold, reason
     FROM guardrail_transitions`,
    "1\tdrawdown\tnormal\treduce_only\tday_pnl\t-1000.5\t-1000\tpast the limit",
    {
      type: "guardrail_transition",
      ts: us(T + 1),
      guardrail: "drawdown",
      prev_mode: "normal",
      next_mode: "reduce_only",
      trigger_metric: "day_pnl",
      value: -1000.5,
      threshold: -1000,
      reason: "past the limit",
    },
  ],
  [
    `SELECT µs(ts), kind, severity, component, message, µs(from_ts), µs(to_ts), rows, attributes FROM system_events`,
    "1\tlink\twarning\tfeed\tlost\t-5\t1\t12\t{'venue':'fxcm'}",
    {
      type: "system_event",
      ts: us(T + 1),
      kind: "link",
      severity: "WARN",
      component: "feed",
      message: "lost",
      from_ts: us(T - 5),
      to_ts: us(T + 1),
      rows: 12,
      attributes: { venue: "fxcm" },
    },
  ],
];

/** Events that nobody may store, and why not. */
const REFUSED: readonly (readonly [table: string, reason: RegExp, event: object])[] = [
  [
    "market_data",
    /last_side: 'bid' is ambiguous/,
    { type: "trade", symbol: "X", last_px: 1, last_qty: 1, last_side: "bid" },
  ],
  ["market_data", /symbol: ' ' is empty/, { type: "quote", symbol: " " }],
  ["market_data", /column symbol is required/, { type: "quote" }],
  [
    "market_data",
    /bids: .* is not best first/,
    {
      type: "depth",
      symbol: "X",
      bids: [
        [1, 1],
        [2, 1],
      ],
    },
  ],
  ["market_data", /bid_px1: NaN/, { type: "depth", symbol: "X", bids: [[NaN, 1]] }],
  [
    "orders",
    /side: 'long' is ambiguous/,
    { type: "order", ts: us(T), client_order_id: "r1", ...ORDER, side: "long", status: "new" },
  ],
  [
    "orders",
    /status: 'D' is ambiguous/,
    { type: "order", ts: us(T), client_order_id: "r2", ...ORDER, status: "D" },
  ],
  [
    "orders",
    /column strategy is required: no earlier step/,
    { type: "order", ts: us(T), client_order_id: "r1", status: "new" },
  ],
  ["orders", /column ts is required/, { type: "order", client_order_id: "r3", ...ORDER, status: "new" }],
  [
    "fills",
    /liquidity: true is not a word/,
    {
      type: "fill",
      ts_exchange: us(T),
      fill_id: "r",
      client_order_id: "c1",
      fill_qty: 1,
      fill_px: 1,
      liquidity: true,
    },
  ],
  [
    "fills",
    /column symbol is required: no earlier/,
    { type: "fill", ts_exchange: us(T), fill_id: "r", client_order_id: "?", fill_qty: 1, fill_px: 1 },
  ],
  ["system_events", /severity: 40 is none of/, { type: "system_event", ts: us(T), kind: "x", severity: 40 }],
];

const data_dir = await temporaryFolder({ after });
await layMigrated(join(data_dir, "clickhouse"));
const { config } = loadConfig({ env: {}, cwd: data_dir, values: { data_dir } });
const recorder = await createRecorder({ config: { data_dir } });
after(() => recorder.close({ deadline: 0 }));

test("each event of a mixed bus is stored as its row, what fits nowhere is refused, and every row is accounted for", async (t) => {
  for (const [, , ...events] of BUS)
    for (const event of events) assert.equal(recorder.events.record(event), true);
  for (const [, , event] of REFUSED) assert.equal(recorder.events.record(event as RecordedEvent), true);
  for (const alien of [{ type: "quot", symbol: "X" }, { symbol: "X" }, {}, null, undefined, 7, "quote"])
    assert.equal(recorder.events.record(alien as unknown as RecordedEvent), false);
  await recorder.flush();
  const opened = await openClickHouse(config);
  t.after(() => opened.close());
  for (const [sql, stored] of BUS) {
    const plain = sql.replaceAll(/µs\((\w+)\)/g, `(toUnixTimestamp64Nano($1) - ${T}000) / 1000`);
    assert.equal(await opened.clickhouse.text(`${plain} FORMAT TSV`), `${stored}\n`, sql);
  }
  const { tables, rings, unknownEvents, lives } = await recorder.stats();
  assert.equal(unknownEvents, 7);
  assert.deepEqual(lives, { orders: 2, fills: 3, forgottenOrders: 0 });
  for (const [name, { offered, refused, accepted, stored }] of Object.entries(tables)) {
    const bad = REFUSED.filter(([table]) => table === name).length;
    assert.deepEqual(refused, bad === 0 ? {} : { value_rejected: bad }, name);
    assert.deepEqual([offered, accepted], [rings[name]!.taken, offered - bad], name);
    assert.equal(accepted, stored, name);
  }
  const letters: { table: string; reason: string }[] = [];
  const folder = join(data_dir, "dead-letters");
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".ndjson")) continue;
    const text = await readFile(join(folder, name), "utf8");
    for (const line of text.trim().split("\n")) letters.push(JSON.parse(line) as (typeof letters)[number]);
  }
  assert.equal(letters.length, REFUSED.length);
  for (const table of Object.keys(tables)) {
    const reasons = letters.filter((letter) => letter.table === table).map(({ reason }) => reason);
    for (const [, expected] of REFUSED.filter(([name]) => name === table))
      assert.match(reasons.shift()!, expected);
  }
});

test("the tables' own entries take the same rows", async (t) => {
  const ts = us(T + 60_000_000);
  assert.ok(recorder.marketData.record({ kind: "quote", symbol: "SHORT", bid_px1: 1 }));
  assert.ok(recorder.orders.record({ ts, client_order_id: "short", ...ORDER, status: "new" }));
  assert.ok(
    recorder.fills.record({
      ts_exchange: ts,
      fill_id: "short",
      client_order_id: "short",
      fill_qty: 1,
      fill_px: 2,
    }),
  );
  assert.ok(recorder.positionsIntraday.record({ ts, account_id: "short", symbol: "X", position_qty: 1 }));
  assert.ok(recorder.accountState.record({ ts, account_id: "short" }));
  assert.ok(recorder.riskDecisions.record({ ts, strategy: "short", decision: "accept" }));
  assert.ok(recorder.guardrailTransitions.record({ ts, guardrail: "short", prev_mode: "a", next_mode: "b" }));
  assert.ok(recorder.systemEvents.record({ ts, kind: "short" }));
  await recorder.flush();
  const opened = await openClickHouse(config);
  t.after(() => opened.close());
  const counts = await opened.clickhouse.text(
    `SELECT (SELECT count() FROM market_data WHERE symbol = 'SHORT'), (SELECT count() FROM orders WHERE client_order_id = 'short'),
            (SELECT count() FROM fills WHERE fill_id = 'short' AND symbol = 'BTCUSDT'),
            (SELECT count() FROM positions_intraday WHERE account_id = 'short'), (SELECT count() FROM account_state WHERE account_id = 'short'),
            (SELECT count() FROM risk_decisions WHERE strategy = 'short'), (SELECT count() FROM guardrail_transitions WHERE guardrail = 'short'),
            (SELECT count() FROM system_events WHERE kind = 'short')
     FORMAT TSV`,
  );
  assert.equal(counts, "1\t1\t1\t1\t1\t1\t1\t1\n");
});
