-- Everyday questions. "Last" means by time and then by seq, a whole row at a time: argMax over one Nullable column
-- would step over a NULL and answer with an older row's value.

CREATE OR REPLACE VIEW orders_latest
(
    env                  LowCardinality(String),
    strategy             LowCardinality(String),
    symbol               LowCardinality(String),
    client_order_id      String,
    ts                   DateTime64(9, 'UTC'),
    status               LowCardinality(String),
    account_id           LowCardinality(Nullable(String)),
    side                 Enum8('buy' = 1, 'sell' = 2, 'sell_short' = 5, 'sell_short_exempt' = 6),
    qty                  Decimal(38, 8),
    filled_qty           Nullable(Decimal(38, 8)),
    limit_px             Nullable(Decimal(18, 8)),
    order_type           LowCardinality(Nullable(String)),
    tif                  LowCardinality(Nullable(String)),
    reject_reason        Nullable(String),
    risk_mode            LowCardinality(Nullable(String)),
    risk_decision_id     Nullable(String),
    ts_intent            Nullable(DateTime64(9, 'UTC')),
    ts_send              Nullable(DateTime64(9, 'UTC')),
    ts_ack               Nullable(DateTime64(9, 'UTC')),
    orig_client_order_id Nullable(String),
    broker_order_id      Nullable(String)
)
AS SELECT
    env, strategy, symbol, client_order_id, ts, status, account_id, side, qty, filled_qty, limit_px, order_type, tif,
    reject_reason, risk_mode, risk_decision_id, ts_intent, ts_send, ts_ack, orig_client_order_id, broker_order_id
FROM orders
ORDER BY ts DESC, seq DESC
LIMIT 1 BY env, strategy, symbol, client_order_id
COMMENT 'Where each order stands: its last step';

CREATE OR REPLACE VIEW positions_latest
(
    env            LowCardinality(String),
    account_id     LowCardinality(String),
    symbol         LowCardinality(String),
    strategy       LowCardinality(Nullable(String)),
    ts             DateTime64(9, 'UTC'),
    position_qty   Decimal(38, 8),
    avg_px         Nullable(Decimal(18, 8)),
    realized_pnl   Nullable(Decimal(38, 8)),
    unrealized_pnl Nullable(Decimal(38, 8)),
    fees_accum     Nullable(Decimal(38, 8)),
    gross_exposure Nullable(Decimal(38, 8)),
    net_exposure   Nullable(Decimal(38, 8))
)
AS SELECT
    env, account_id, symbol, strategy,
    last.1 AS ts, last.2 AS position_qty, last.3 AS avg_px, last.4 AS realized_pnl, last.5 AS unrealized_pnl,
    last.6 AS fees_accum, last.7 AS gross_exposure, last.8 AS net_exposure
FROM
(
    SELECT
        env, account_id, symbol, strategy,
        argMax((ts, position_qty, avg_px, realized_pnl, unrealized_pnl, fees_accum, gross_exposure, net_exposure), (ts, seq)) AS last
    FROM positions_intraday
    GROUP BY env, account_id, symbol, strategy
)
COMMENT 'What is held: the newest snapshot of each account, symbol and strategy';

CREATE OR REPLACE VIEW fills_net
(
    env              LowCardinality(String),
    venue            LowCardinality(Nullable(String)),
    account_id       LowCardinality(Nullable(String)),
    symbol           LowCardinality(String),
    side             Enum8('buy' = 1, 'sell' = 2, 'sell_short' = 5, 'sell_short_exempt' = 6),
    original_fill_id String COMMENT 'The fill_id of the execution that the reports go back to [id]',
    fill_id          String,
    exec_type        Enum8('new' = 1, 'bust' = 2, 'correct' = 3),
    reports          UInt64 COMMENT 'Rows of fills that this fill is made of, repeated ones included [rows]',
    ts_exchange      DateTime64(9, 'UTC') COMMENT 'Time of the execution: of its earliest report [ns, UTC]',
    ts_local         Nullable(DateTime64(9, 'UTC')),
    client_order_id  Nullable(String),
    broker_order_id  Nullable(String),
    strategy         LowCardinality(Nullable(String)),
    fill_qty         Decimal(38, 8),
    fill_px          Decimal(18, 8),
    liquidity        Enum8('unknown' = 0, 'maker' = 1, 'taker' = 2),
    fees             Nullable(Decimal(38, 8)),
    fee_currency     LowCardinality(Nullable(String)),
    tax              Nullable(Decimal(38, 8))
)
AS WITH RECURSIVE
    amendments AS
    (
        SELECT DISTINCT env, symbol, venue, account_id, side, fill_id, ifNull(corrects_fill_id, fill_id) AS target
        FROM fills
        WHERE exec_type != 'new'
    ),
    -- A correction of a correction may name either the one before it or the first fill, so every report is led back
    -- to the first. A bust or correction may leave out venue and account: unknown is taken for equal, and what is learned
    -- on the way is kept. The depth bounds reports that name each other in a circle.
    chains AS
    (
        SELECT env, symbol, venue, account_id, side, fill_id, venue AS at, account_id AS account, fill_id AS root, 0 AS depth
        FROM amendments
        UNION ALL
        SELECT DISTINCT
            c.env, c.symbol, c.venue, c.account_id, c.side, c.fill_id, ifNull(c.at, a.venue), ifNull(c.account, a.account_id),
            a.target, c.depth + 1
        FROM chains AS c
        INNER JOIN amendments AS a ON a.env = c.env AND a.symbol = c.symbol AND a.fill_id = c.root
        WHERE a.target != a.fill_id AND (c.depth = 0 OR c.root != c.fill_id) AND c.depth < 32
            AND ifNull(a.venue = c.at, true) AND ifNull(a.account_id = c.account, true)
    ),
    ends AS
    (
        SELECT *
        FROM chains
        ORDER BY depth DESC, root, at, account
        LIMIT 1 BY env, symbol, venue, account_id, side, fill_id
    ),
    -- One id can be several fills, of both sides or of several accounts: a report is of the one that it fits best.
    roots AS
    (
        SELECT
            e.env AS env, e.symbol AS symbol, e.venue AS venue, e.account_id AS account_id, e.side AS side, e.fill_id AS fill_id,
            e.root AS root, e.depth AS depth,
            if(empty(o.fill_id), (e.at, e.account, e.side), (o.venue, o.account_id, o.side)) AS original
        FROM ends AS e
        LEFT JOIN
        (
            SELECT DISTINCT env, symbol, venue, account_id, side, fill_id
            FROM fills
            WHERE exec_type = 'new' AND (symbol, fill_id) IN (SELECT symbol, root FROM ends)
        ) AS o
            ON o.env = e.env AND o.symbol = e.symbol AND o.fill_id = e.root
            AND ifNull(o.venue = e.at, true) AND ifNull(o.account_id = e.account, true)
        ORDER BY o.venue <=> e.at DESC, o.account_id <=> e.account DESC, o.side = e.side DESC, o.venue, o.account_id, o.side
        LIMIT 1 BY env, symbol, venue, account_id, side, fill_id
    )
SELECT
    env, original.1 AS venue, original.2 AS account_id, symbol, last.1 AS side, original_fill_id, last.2 AS fill_id,
    last.3 AS exec_type, reports, first AS ts_exchange, last.4 AS ts_local, last_client_order_id AS client_order_id,
    last_broker_order_id AS broker_order_id, last_strategy AS strategy, last.5 AS fill_qty, last.6 AS fill_px, last.7 AS liquidity,
    last.8 AS fees, last.9 AS fee_currency, last.10 AS tax
FROM
(
    SELECT
        f.env AS env, f.symbol AS symbol,
        if(empty(r.root), f.fill_id, r.root) AS original_fill_id,
        if(empty(r.root), (f.venue, f.account_id, f.side), r.original) AS original,
        count() AS reports,
        min(f.ts_exchange) AS first,
        argMax(
            (f.side, f.fill_id, f.exec_type, f.ts_local, f.fill_qty, f.fill_px, f.liquidity, f.fees, f.fee_currency, f.tax),
            -- A bust is final whenever its report comes; a correction outranks what it corrects.
            (f.exec_type = 'bust', f.exec_type = 'correct', r.depth, f.ts_exchange, ifNull(f.ts_local, f.ts_exchange), f.seq) AS rank
        ) AS last,
        -- A correction may leave out whose fill it is; here it serves that argMax steps over NULL.
        argMax(f.client_order_id, rank) AS last_client_order_id,
        argMax(f.broker_order_id, rank) AS last_broker_order_id,
        argMax(f.strategy, rank) AS last_strategy
    FROM fills AS f
    LEFT JOIN roots AS r
        ON r.env = f.env AND r.symbol = f.symbol AND r.venue <=> f.venue AND r.account_id <=> f.account_id AND r.side = f.side
        AND r.fill_id = f.fill_id
    GROUP BY env, symbol, original_fill_id, original
)
WHERE exec_type != 'bust'
COMMENT 'What was executed, once each: repeated reports counted once, corrections applied, busted fills gone';

CREATE OR REPLACE VIEW market_data_gaps
(
    env      LowCardinality(String),
    recorder LowCardinality(String),
    day      Date COMMENT 'Day of to_ts; name it in WHERE so that only that day is read [day, UTC]',
    symbol   String COMMENT 'Instrument the tape is thin for; empty if the gap is in all of them [name]',
    kind     String COMMENT 'Kind of row left out: quote, depth or trade; empty if any [set]',
    from_ts  Nullable(DateTime64(9, 'UTC')) COMMENT 'Last row before the gap, or start of the day; NULL if unknown [ns, UTC]',
    to_ts    DateTime64(9, 'UTC') COMMENT 'First row after the gap [ns, UTC]',
    rows     Nullable(UInt64) COMMENT 'Rows left out; NULL if nobody could count them [rows]',
    reason   String COMMENT 'Why: policy for rows left out on purpose, else what the recorder noted [name]'
)
AS SELECT
    env, recorder, day, symbol, toString(kind) AS kind,
    if(place = 1, toDateTime64(day, 9, 'UTC'), before) AS from_ts,
    ts_exchange AS to_ts, skipped AS rows, 'policy' AS reason
FROM
(
    SELECT
        env, recorder, toDate(ts_exchange) AS day, symbol, kind, ts_exchange, skipped,
        row_number() OVER w AS place,
        lagInFrame(ts_exchange) OVER w AS before
    FROM market_data
    WINDOW w AS (PARTITION BY env, recorder, run, day, symbol, kind ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE skipped > 0
UNION ALL
SELECT
    env, recorder, toDate(ifNull(system_events.to_ts, ts)) AS day, attributes['symbol'] AS symbol, attributes['kind'] AS kind,
    system_events.from_ts AS from_ts, ifNull(system_events.to_ts, ts) AS to_ts, system_events.rows AS rows, attributes['reason'] AS reason
FROM system_events
WHERE system_events.kind = 'data_gap' AND attributes['table'] = 'market_data'
COMMENT 'Where the tape is thin: rows left out by policy and gaps the recorder noted';
