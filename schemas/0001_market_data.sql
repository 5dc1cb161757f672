-- Market data as it came: crossed books, times that jump back and repeated instants included.
-- One day is one partition, so that retention drops whole partitions and a batch of live data is one part.

CREATE TABLE IF NOT EXISTS market_data
(
    ts_exchange     DateTime64(9, 'UTC') COMMENT 'Time the venue gives the event; ts_local if it gives none, see ts_exchange_src [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    ts_exchange_src Enum8('venue' = 1, 'local' = 2) DEFAULT 'venue' COMMENT 'Whose clock ts_exchange is: the venue''s or the recording host''s [set]' CODEC(ZSTD(1)),
    ts_local        DateTime64(9, 'UTC') COMMENT 'Time the recording host received the event; its clock may be behind the venue''s [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    symbol          LowCardinality(String) COMMENT 'Instrument, as the venue writes it [name]' CODEC(ZSTD(1)),
    kind            Enum8('quote' = 1, 'depth' = 2, 'trade' = 3) COMMENT 'What the row is: a top-of-book change, a depth snapshot or a trade [set]' CODEC(ZSTD(1)),

    bid_px1         Nullable(Decimal(18, 8)) COMMENT 'Best bid price [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    bid_sz1         Nullable(Decimal(38, 8)) COMMENT 'Size at the best bid [units]' CODEC(GCD, ZSTD(1)),
    ask_px1         Nullable(Decimal(18, 8)) COMMENT 'Best ask price [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    ask_sz1         Nullable(Decimal(38, 8)) COMMENT 'Size at the best ask [units]' CODEC(GCD, ZSTD(1)),
    bid_px          Array(Decimal(18, 8)) DEFAULT [] COMMENT 'Bid prices, best first, to the configured depth; empty if the row carries no depth [quote currency per unit]' CODEC(GCD, Delta, ZSTD(3)),
    bid_sz          Array(Decimal(38, 8)) DEFAULT [] COMMENT 'Sizes at bid_px, place by place [units]' CODEC(ZSTD(1)),
    ask_px          Array(Decimal(18, 8)) DEFAULT [] COMMENT 'Ask prices, best first, to the configured depth; empty if the row carries no depth [quote currency per unit]' CODEC(GCD, Delta, ZSTD(3)),
    ask_sz          Array(Decimal(38, 8)) DEFAULT [] COMMENT 'Sizes at ask_px, place by place [units]' CODEC(ZSTD(1)),

    last_px         Nullable(Decimal(18, 8)) COMMENT 'Price of the trade [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    last_qty        Nullable(Decimal(38, 8)) COMMENT 'Quantity of the trade [units]' CODEC(GCD, ZSTD(1)),
    last_side       Nullable(Enum8('buy' = 1, 'sell' = 2)) COMMENT 'Side of the aggressor of the trade [set]' CODEC(ZSTD(1)),

    venue           LowCardinality(Nullable(String)) COMMENT 'Venue or feed the event came from [name]' CODEC(ZSTD(1)),
    exchange_seq    Nullable(UInt64) COMMENT 'Sequence, update or trade number the venue gives the event [id]' CODEC(Delta, ZSTD(1)),
    skipped         UInt32 DEFAULT 0 COMMENT 'Rows of this symbol and kind left out by policy since the last kept one [rows]' CODEC(T64, ZSTD(1)),

    env             LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder        LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run             UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq             UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source          LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq      Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest       DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(ts_exchange)
ORDER BY (symbol, ts_exchange, seq)
TTL greatest(toDateTime(ts_exchange), toDateTime(ts_ingest)) + INTERVAL 60 DAY + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'A top-of-book change, a depth snapshot or a trade';
