CREATE TABLE IF NOT EXISTS signals
(
    ts         DateTime64(9, 'UTC') COMMENT 'Time of the signal [ns, UTC]',
    name       LowCardinality(String) COMMENT 'Model that gave it [name]',
    value      Decimal(18, 4) COMMENT 'Its value',
    note       Nullable(String),

    env        LowCardinality(String),
    recorder   LowCardinality(String),
    run        UInt64,
    seq        UInt64,
    source     LowCardinality(String) DEFAULT '',
    source_seq Nullable(UInt64),
    ts_ingest  DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (name, ts)
SETTINGS non_replicated_deduplication_window = 10000;
