-- The narrow rows of the ingest benchmark: a top-of-book change and nothing else.
CREATE TABLE IF NOT EXISTS bench_l1
(
    ts_exchange DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    ts_local    DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    symbol      LowCardinality(String),
    bid_px1     Decimal(18, 8) CODEC(T64, ZSTD(1)),
    bid_sz1     Decimal(18, 8) CODEC(T64, ZSTD(1)),
    ask_px1     Decimal(18, 8) CODEC(T64, ZSTD(1)),
    ask_sz1     Decimal(18, 8) CODEC(T64, ZSTD(1)),
    env         LowCardinality(String),
    recorder    LowCardinality(String),
    run         UInt64,
    seq         UInt64 CODEC(Delta, ZSTD(1)),
    source      LowCardinality(String) DEFAULT '',
    source_seq  Nullable(UInt64) CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts_exchange)
ORDER BY (symbol, ts_exchange, seq)
SETTINGS non_replicated_deduplication_window = 10000;
