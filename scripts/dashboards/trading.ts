import type { PanelRow, SqlPanel } from "./panel.js";

const MARKET = `$__timeFilter(ts_exchange) AND symbol IN (\${symbol:singlequote})`;
const MINUTE = "toStartOfInterval(ts_exchange, INTERVAL $__interval_s second)";

/** The dashboard of what was traded, in plain SQL on ClickHouse. */
export const TRADING: readonly PanelRow<SqlPanel>[] = [
  {
    title: "Market",
    panels: [
      {
        title: "Spread",
        what: "Median distance between best bid and best ask, basis points of the middle. Crossed quotes count as they came.",
        unit: "short",
        kind: "lines",
        sql: `SELECT ${MINUTE} AS time, symbol, quantile(0.5)((toFloat64(ask_px1) - toFloat64(bid_px1)) / ((toFloat64(ask_px1) + toFloat64(bid_px1)) / 2) * 1e4) AS bp
FROM market_data WHERE ${MARKET} AND kind = 'quote' AND bid_px1 > 0 AND ask_px1 > 0 GROUP BY time, symbol ORDER BY time`,
      },
      {
        title: "Trades",
        what: "Volume of the tape.",
        unit: "short",
        kind: "lines",
        sql: `SELECT ${MINUTE} AS time, symbol, sum(toFloat64(last_qty)) AS quantity
FROM market_data WHERE ${MARKET} AND kind = 'trade' GROUP BY time, symbol ORDER BY time`,
      },
      {
        title: "Rows and rows left out",
        what: "What was kept, and what the policy left out before it: with their sum statistics can be weighted.",
        unit: "short",
        kind: "lines",
        sql: `SELECT ${MINUTE} AS time, count() AS kept, sum(skipped) AS left_out
FROM market_data WHERE ${MARKET} GROUP BY time ORDER BY time`,
      },
      {
        title: "Data gaps",
        what: "Where the tape is thin, and why.",
        unit: "short",
        kind: "table",
        sql: "SELECT from_ts, to_ts, symbol, kind, rows, reason FROM market_data_gaps WHERE day >= toDate($__fromTime) AND day <= toDate($__toTime) AND reason != 'policy' ORDER BY to_ts DESC LIMIT 100",
      },
    ],
  },
  {
    title: "Orders and fills",
    panels: [
      {
        title: "Orders by status",
        what: "Where the orders of the time stand now.",
        unit: "short",
        kind: "table",
        sql: "SELECT strategy, toString(status) AS status, count() AS orders FROM orders_latest WHERE $__timeFilter(ts) GROUP BY strategy, status ORDER BY orders DESC",
      },
      {
        title: "Fills",
        what: "Executed quantity, each fill once, busts left out.",
        unit: "short",
        kind: "lines",
        sql: `SELECT ${MINUTE} AS time, symbol, sum(toFloat64(fill_qty)) AS quantity FROM fills_net WHERE $__timeFilter(ts_exchange) GROUP BY time, symbol ORDER BY time`,
      },
      {
        title: "Slippage",
        what: "Price of a fill against the limit of its order, basis points; more than 0 is worse than the limit.",
        unit: "short",
        kind: "lines",
        sql: `SELECT toStartOfInterval(f.ts_exchange, INTERVAL $__interval_s second) AS time, f.symbol AS symbol,
    avg((toFloat64(f.fill_px) - toFloat64(o.limit_px)) / toFloat64(o.limit_px) * 1e4 * if(f.side = 'buy', 1, -1)) AS bp
FROM fills_net AS f INNER JOIN orders_latest AS o ON o.env = f.env AND o.client_order_id = f.client_order_id
WHERE $__timeFilter(f.ts_exchange) AND o.limit_px > 0 GROUP BY time, symbol ORDER BY time`,
      },
    ],
  },
  {
    title: "Risk",
    panels: [
      {
        title: "Risk decisions",
        what: "Intents by what was decided.",
        unit: "short",
        kind: "lines",
        sql: "SELECT toStartOfInterval(ts, INTERVAL $__interval_s second) AS time, toString(decision) AS decision, count() AS decisions FROM risk_decisions WHERE $__timeFilter(ts) GROUP BY time, decision ORDER BY time",
      },
      {
        title: "Guardrails",
        what: "Each change of a guardrail's mode.",
        unit: "short",
        kind: "table",
        sql: "SELECT ts, guardrail, prev_mode, next_mode, reason FROM guardrail_transitions WHERE $__timeFilter(ts) ORDER BY ts DESC LIMIT 100",
      },
      {
        title: "System events",
        what: "What the recorder and operators wrote down.",
        unit: "short",
        kind: "table",
        sql: "SELECT ts, kind, toString(severity) AS severity, component, message FROM system_events WHERE $__timeFilter(ts) ORDER BY ts DESC LIMIT 100",
      },
    ],
  },
];
