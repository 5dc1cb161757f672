-- When a guardrail changed its mode and what made it.

CREATE TABLE IF NOT EXISTS guardrail_transitions
(
    ts             DateTime64(9, 'UTC') COMMENT 'Time of the change [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    guardrail      LowCardinality(String) DEFAULT '' COMMENT 'Which guardrail changed; empty where there is only one [name]' CODEC(ZSTD(1)),
    prev_mode      LowCardinality(String) COMMENT 'Mode before [name]' CODEC(ZSTD(1)),
    next_mode      LowCardinality(String) COMMENT 'Mode after [name]' CODEC(ZSTD(1)),
    trigger_metric LowCardinality(Nullable(String)) COMMENT 'Figure that set it off [name]' CODEC(ZSTD(1)),
    value          Nullable(Decimal(38, 8)) COMMENT 'That figure at the moment [unit of trigger_metric]' CODEC(ZSTD(1)),
    threshold      Nullable(Decimal(38, 8)) COMMENT 'Limit it crossed [unit of trigger_metric]' CODEC(ZSTD(1)),
    reason         Nullable(String) COMMENT 'Why, in words [text]' CODEC(ZSTD(1)),

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
ORDER BY (guardrail, ts, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 7 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'A change of a guardrail''s mode';
