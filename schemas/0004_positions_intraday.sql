-- What was held, as the trading engine saw it; positions_latest shows the newest snapshot.

CREATE TABLE IF NOT EXISTS positions_intraday
(
    ts             DateTime64(9, 'UTC') COMMENT 'Time of the snapshot [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    account_id     LowCardinality(String) COMMENT 'Account that holds the position [id]' CODEC(ZSTD(1)),
    symbol         LowCardinality(String) COMMENT 'Instrument, as the venue writes it [name]' CODEC(ZSTD(1)),
    strategy       LowCardinality(Nullable(String)) COMMENT 'Strategy that holds it; NULL if the account holds it as a whole [name]' CODEC(ZSTD(1)),
    position_qty   Decimal(38, 8) COMMENT 'Quantity held, negative when short [units]' CODEC(GCD, ZSTD(1)),
    avg_px         Nullable(Decimal(18, 8)) COMMENT 'Average entry price; NULL when flat or unknown [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    realized_pnl   Nullable(Decimal(38, 8)) COMMENT 'Profit realised so far today [account currency]' CODEC(ZSTD(1)),
    unrealized_pnl Nullable(Decimal(38, 8)) COMMENT 'Profit if closed at the mark [account currency]' CODEC(ZSTD(1)),
    fees_accum     Nullable(Decimal(38, 8)) COMMENT 'Fees paid so far today [account currency]' CODEC(ZSTD(1)),
    gross_exposure Nullable(Decimal(38, 8)) COMMENT 'Absolute value at the mark [account currency]' CODEC(ZSTD(1)),
    net_exposure   Nullable(Decimal(38, 8)) COMMENT 'Value at the mark, negative when short [account currency]' CODEC(ZSTD(1)),

    env            LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder       LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run            UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq            UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source         LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq     Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest      DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (account_id, symbol, ts, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 3 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'A position snapshot, every 1 to 5 s';
