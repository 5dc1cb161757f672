-- What risk said to each intent, and the figures it looked at.

CREATE TABLE IF NOT EXISTS risk_decisions
(
    ts               DateTime64(9, 'UTC') COMMENT 'Time of the decision [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    strategy         LowCardinality(String) COMMENT 'Strategy that asked [name]' CODEC(ZSTD(1)),
    account_id       LowCardinality(Nullable(String)) COMMENT 'Account it asked for [id]' CODEC(ZSTD(1)),
    symbol           LowCardinality(Nullable(String)) COMMENT 'Instrument it asked for [name]' CODEC(ZSTD(1)),
    client_order_id  Nullable(String) COMMENT 'Our id of the order it asked about [id]' CODEC(ZSTD(3)),
    risk_decision_id Nullable(String) COMMENT 'Id of the decision, which orders name [id]' CODEC(ZSTD(3)),
    decision         LowCardinality(String) COMMENT 'What was decided, such as accept, reduce or reject [name]' CODEC(ZSTD(1)),
    reason_code      LowCardinality(Nullable(String)) COMMENT 'Rule that decided [name]' CODEC(ZSTD(1)),
    risk_mode        LowCardinality(Nullable(String)) COMMENT 'Mode the guardrail was in [name]' CODEC(ZSTD(1)),
    position         Nullable(Decimal(38, 8)) COMMENT 'Position before the intent, negative when short [units]' CODEC(GCD, ZSTD(1)),
    notional         Nullable(Decimal(38, 8)) COMMENT 'Value of the intent [account currency]' CODEC(ZSTD(1)),
    pnl              Nullable(Decimal(38, 8)) COMMENT 'Profit of the day as risk saw it [account currency]' CODEC(ZSTD(1)),
    order_rate       Nullable(Decimal(18, 8)) COMMENT 'Orders sent lately as risk counted them [orders per second]' CODEC(GCD, ZSTD(1)),
    limits           Map(LowCardinality(String), Decimal(38, 8)) DEFAULT map() COMMENT 'What was compared: name of each limit and its value [unit of the limit]' CODEC(ZSTD(1)),

    env              LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder         LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run              UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq              UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source           LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq       Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest        DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1,
    INDEX client_order_id client_order_id TYPE bloom_filter GRANULARITY 4,
    INDEX risk_decision_id risk_decision_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (strategy, ts, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 7 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One decision on one intent';
