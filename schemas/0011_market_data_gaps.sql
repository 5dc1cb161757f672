-- A data_gap that the recorder adds up over a stretch names the series that miss rows in the attribute `missing`, and counts what
-- it does not name in `others`: one row of the view for each. Rows that the ladder left out (sampled, deduplicated) are told by
-- `skipped` of the rows kept, so they are not shown again.

CREATE OR REPLACE VIEW market_data_gaps
(
    env      LowCardinality(String),
    recorder LowCardinality(String),
    day      Date COMMENT 'Day of to_ts; name it in WHERE so that only that day is read [day, UTC]',
    symbol   String COMMENT 'Instrument the tape is thin for; empty if the gap is in all of them [name]',
    kind     String COMMENT 'Kind of row left out: quote, depth or trade; empty if any [set]',
    from_ts  Nullable(DateTime64(9, 'UTC')) COMMENT 'Last row before the gap, or start of the day, or first row missing; NULL if unknown [ns, UTC]',
    to_ts    DateTime64(9, 'UTC') COMMENT 'First row after the gap, or last row missing [ns, UTC]',
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
    env, recorder, toDate(ifNull(system_events.to_ts, ts)) AS day,
    part.1 AS symbol, part.2 AS kind,
    system_events.from_ts AS from_ts, ifNull(system_events.to_ts, ts) AS to_ts, part.3 AS rows, attributes['reason'] AS reason
FROM system_events
ARRAY JOIN if(
    mapContains(attributes, 'missing'),
    arrayConcat(
        JSONExtract(attributes['missing'], 'Array(Tuple(symbol String, kind String, rows Nullable(UInt64)))'),
        if(mapContains(attributes, 'others'), [tuple('', '', toUInt64OrNull(attributes['others']))], [])
    ),
    [tuple(attributes['symbol'], attributes['kind'], system_events.rows)]
) AS part
WHERE system_events.kind = 'data_gap' AND attributes['table'] = 'market_data' AND attributes['reason'] NOT IN ('sampled', 'deduplicated')
COMMENT 'Where the tape is thin: rows left out by policy and gaps the recorder noted'
