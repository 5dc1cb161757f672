-- Every step of every order, one row each: nothing is updated in place, orders_latest shows where an order stands.

CREATE TABLE IF NOT EXISTS orders
(
    ts                   DateTime64(9, 'UTC') COMMENT 'Time of this step [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    ts_intent            Nullable(DateTime64(9, 'UTC')) COMMENT 'Time the strategy decided to send, change or cancel [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    ts_send              Nullable(DateTime64(9, 'UTC')) COMMENT 'Time the message left the host [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    ts_ack               Nullable(DateTime64(9, 'UTC')) COMMENT 'Time the answer of the broker or venue arrived [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    client_order_id      String COMMENT 'Our id of the order [id]' CODEC(ZSTD(3)),
    orig_client_order_id Nullable(String) COMMENT 'Our id of the order that this one replaces [id]' CODEC(ZSTD(3)),
    broker_order_id      Nullable(String) COMMENT 'Id the broker or venue gave the order [id]' CODEC(ZSTD(3)),
    strategy             LowCardinality(String) COMMENT 'Strategy that owns the order [name]' CODEC(ZSTD(1)),
    account_id           LowCardinality(Nullable(String)) COMMENT 'Account the order trades for [id]' CODEC(ZSTD(1)),
    symbol               LowCardinality(String) COMMENT 'Instrument, as the venue writes it [name]' CODEC(ZSTD(1)),
    side                 Enum8('buy' = 1, 'sell' = 2, 'sell_short' = 5, 'sell_short_exempt' = 6) COMMENT 'Side, with the numbers of FIX tag 54 [set]' CODEC(ZSTD(1)),
    qty                  Decimal(38, 8) COMMENT 'Quantity ordered [units]' CODEC(GCD, ZSTD(1)),
    limit_px             Nullable(Decimal(18, 8)) COMMENT 'Limit price; NULL for a market order [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    order_type           LowCardinality(Nullable(String)) COMMENT 'Kind of order, such as limit or market [name]' CODEC(ZSTD(1)),
    tif                  LowCardinality(Nullable(String)) COMMENT 'Time in force, such as day, gtc or ioc [name]' CODEC(ZSTD(1)),
    status               LowCardinality(String) COMMENT 'State after this step, such as intent, sent, new, partially_filled, filled, canceled, replaced, rejected or expired [name]' CODEC(ZSTD(1)),
    filled_qty           Nullable(Decimal(38, 8)) COMMENT 'Quantity filled so far [units]' CODEC(GCD, ZSTD(1)),
    reject_reason        Nullable(String) COMMENT 'Why the order or the change was refused, in the words of whoever refused it [text]' CODEC(ZSTD(1)),
    risk_mode            LowCardinality(Nullable(String)) COMMENT 'Mode the guardrail was in [name]' CODEC(ZSTD(1)),
    risk_decision_id     Nullable(String) COMMENT 'Decision in risk_decisions that let this step pass or stopped it [id]' CODEC(ZSTD(3)),

    env                  LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder             LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run                  UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq                  UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source               LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq           Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest            DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1,
    INDEX client_order_id client_order_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (strategy, symbol, ts, client_order_id, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 7 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'A step in an order''s life';
