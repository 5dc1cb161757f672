-- Executions as they were reported, busts and corrections as rows of their own; fills_net shows what stands.

CREATE TABLE IF NOT EXISTS fills
(
    ts_exchange      DateTime64(9, 'UTC') COMMENT 'Time the venue gives this report [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    ts_local         Nullable(DateTime64(9, 'UTC')) COMMENT 'Time the recording host received it [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    client_order_id  Nullable(String) COMMENT 'Our id of the order [id]' CODEC(ZSTD(3)),
    broker_order_id  Nullable(String) COMMENT 'Id the broker or venue gave the order [id]' CODEC(ZSTD(3)),
    fill_id          String COMMENT 'Id of this report, unique per venue, account, symbol and side [id]' CODEC(ZSTD(3)),
    exec_type        Enum8('new' = 1, 'bust' = 2, 'correct' = 3) DEFAULT 'new' COMMENT 'Whether this is an execution, takes one back or replaces one [set]' CODEC(ZSTD(1)),
    corrects_fill_id Nullable(String) COMMENT 'The fill_id that a bust takes back or a correction replaces; NULL if it is the row''s own [id]' CODEC(ZSTD(3)),
    strategy         LowCardinality(Nullable(String)) COMMENT 'Strategy that owns the order [name]' CODEC(ZSTD(1)),
    account_id       LowCardinality(Nullable(String)) COMMENT 'Account the fill belongs to [id]' CODEC(ZSTD(1)),
    symbol           LowCardinality(String) COMMENT 'Instrument, as the venue writes it [name]' CODEC(ZSTD(1)),
    side             Enum8('buy' = 1, 'sell' = 2, 'sell_short' = 5, 'sell_short_exempt' = 6) COMMENT 'Side, with the numbers of FIX tag 54 [set]' CODEC(ZSTD(1)),
    fill_qty         Decimal(38, 8) COMMENT 'Quantity executed; on a correction the right one, on a bust the one taken back [units]' CODEC(GCD, ZSTD(1)),
    fill_px          Decimal(18, 8) COMMENT 'Price executed; on a correction the right one, on a bust the one taken back [quote currency per unit]' CODEC(GCD, ZSTD(1)),
    liquidity        Enum8('unknown' = 0, 'maker' = 1, 'taker' = 2) DEFAULT 'unknown' COMMENT 'Whether the order rested in the book or took from it [set]' CODEC(ZSTD(1)),
    fees             Nullable(Decimal(38, 8)) COMMENT 'Fees paid, negative for a rebate [fee_currency]' CODEC(ZSTD(1)),
    fee_currency     LowCardinality(Nullable(String)) COMMENT 'Currency of fees and tax [name]' CODEC(ZSTD(1)),
    tax              Nullable(Decimal(38, 8)) COMMENT 'Tax and levies paid [fee_currency]' CODEC(ZSTD(1)),
    venue            LowCardinality(Nullable(String)) COMMENT 'Venue that executed [name]' CODEC(ZSTD(1)),

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
    INDEX client_order_id client_order_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts_exchange)
ORDER BY (symbol, ts_exchange, fill_id, seq)
TTL greatest(toDateTime(ts_exchange), toDateTime(ts_ingest)) + INTERVAL 7 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'An execution, or its bust or correction';
