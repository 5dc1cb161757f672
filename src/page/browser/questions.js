// @ts-check
/** Ready-made questions of the SQL box: those of docs/reviews/schema.md that need no day or id filled in, and some of operating. */

/** @typedef {{ name: string, sql: string }} Question */

/** @type {readonly Question[]} */
export const QUESTIONS = [
  {
    name: "What came in the last minutes?",
    sql: `SELECT toStartOfInterval(ts_ingest, INTERVAL 5 SECOND) AS at, count() / 5 AS rows_per_second
FROM market_data
WHERE ts_ingest > now() - INTERVAL 10 MINUTE
GROUP BY at
ORDER BY at`,
  },
  {
    name: "What is recorded, by symbol?",
    sql: `SELECT symbol, kind, count() AS rows, max(ts_exchange) AS last
FROM market_data
WHERE ts_exchange > now() - INTERVAL 1 HOUR
GROUP BY symbol, kind
ORDER BY rows DESC`,
  },
  {
    name: "How late does market data arrive?",
    sql: `SELECT symbol, count() AS rows, round(min(ms), 3) AS least, round(quantile(0.5)(ms), 3) AS median, round(max(ms), 3) AS most
FROM
(
    SELECT symbol, (toUnixTimestamp64Nano(ts_local) - toUnixTimestamp64Nano(ts_exchange)) / 1e6 AS ms
    FROM market_data
    WHERE ts_exchange > now() - INTERVAL 1 HOUR AND ts_exchange_src = 'venue'
)
GROUP BY symbol
ORDER BY most DESC`,
  },
  {
    name: "Where is the tape thin?",
    sql: `SELECT symbol, kind, from_ts, to_ts, rows, reason
FROM market_data_gaps
WHERE day >= today() - 1
ORDER BY to_ts DESC
LIMIT 200`,
  },
  {
    name: "Which orders are open?",
    sql: `SELECT env, strategy, client_order_id AS order, symbol, side, status, qty - filled_qty AS remaining
FROM orders_latest
WHERE status NOT IN ('filled', 'canceled', 'replaced', 'rejected', 'expired')
ORDER BY env, strategy, order
LIMIT 200`,
  },
  {
    name: "Why were orders refused?",
    sql: `SELECT coalesce(o.reject_reason, d.reason_code) AS reason, if(d.decision = 'reject', 'risk', 'broker') AS refused_by, count() AS orders
FROM orders_latest AS o
LEFT JOIN risk_decisions AS d ON d.env = o.env AND d.strategy = o.strategy AND d.risk_decision_id = o.risk_decision_id
WHERE o.status = 'rejected'
GROUP BY reason, refused_by
ORDER BY orders DESC`,
  },
  {
    name: "What was traded, net of busts?",
    sql: `SELECT symbol, sumIf(fill_qty, side = 'buy') AS bought, sumIf(fill_qty, side != 'buy') AS sold, bought - sold AS net
FROM fills_net
GROUP BY symbol
ORDER BY symbol`,
  },
  {
    name: "How often was the book crossed?",
    sql: `SELECT symbol, count() AS quotes, countIf(bid_px1 > ask_px1) AS crossed, countIf(bid_px1 = ask_px1) AS locked
FROM market_data
WHERE kind = 'quote' AND ts_exchange > now() - INTERVAL 1 HOUR
GROUP BY symbol
ORDER BY crossed DESC, symbol`,
  },
  {
    name: "How often did each rule decide?",
    sql: `SELECT coalesce(reason_code, 'none') AS rule, decision, count() AS decisions
FROM risk_decisions
WHERE ts > now() - INTERVAL 1 DAY
GROUP BY rule, decision
ORDER BY decisions DESC`,
  },
  {
    name: "What happened to the recording?",
    sql: `SELECT ts, kind, severity, message, rows, attributes
FROM system_events
WHERE ts > now() - INTERVAL 1 DAY
ORDER BY ts DESC
LIMIT 200`,
  },
  {
    name: "Is any fill stored twice, or missing?",
    sql: `SELECT recorder, run, count() AS rows, rows - uniqExact(seq) AS stored_twice, max(seq) - min(seq) + 1 - uniqExact(seq) AS missing
FROM fills
GROUP BY recorder, run
ORDER BY recorder, run`,
  },
];
