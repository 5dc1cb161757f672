-- The account as the broker or the trading engine saw it.

CREATE TABLE IF NOT EXISTS account_state
(
    ts               DateTime64(9, 'UTC') COMMENT 'Time of the snapshot [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    account_id       LowCardinality(String) COMMENT 'Account [id]' CODEC(ZSTD(1)),
    equity           Nullable(Decimal(38, 8)) COMMENT 'Cash and positions at the mark [currency]' CODEC(ZSTD(1)),
    cash             Nullable(Decimal(38, 8)) COMMENT 'Cash [currency]' CODEC(ZSTD(1)),
    margin_used      Nullable(Decimal(38, 8)) COMMENT 'Margin bound by positions and orders [currency]' CODEC(ZSTD(1)),
    margin_available Nullable(Decimal(38, 8)) COMMENT 'Margin left [currency]' CODEC(ZSTD(1)),
    day_pnl          Nullable(Decimal(38, 8)) COMMENT 'Profit of the day so far [currency]' CODEC(ZSTD(1)),
    currency         LowCardinality(Nullable(String)) COMMENT 'Currency of the amounts of this row [name]' CODEC(ZSTD(1)),
    risk_mode        LowCardinality(Nullable(String)) COMMENT 'Mode the guardrail was in [name]' CODEC(ZSTD(1)),

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
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (account_id, ts, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 3 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'An account snapshot';
