-- Who wrote the rows: each start of a recorder draws a new run.

CREATE TABLE IF NOT EXISTS recorder_runs
(
    started     DateTime64(9, 'UTC') COMMENT 'Time of the start [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    host        LowCardinality(String) COMMENT 'Host it ran on [name]' CODEC(ZSTD(1)),
    pid         UInt32 COMMENT 'Process id on that host [id]' CODEC(ZSTD(1)),
    version     LowCardinality(String) COMMENT 'Version of coldpath [name]' CODEC(ZSTD(1)),
    config_hash LowCardinality(String) COMMENT 'SHA-256 of the effective configuration without its secrets, in hexadecimal [id]' CODEC(ZSTD(1)),

    env         LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder    LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run         UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq         UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source      LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq  Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest   DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started)
ORDER BY (recorder, started, seq)
TTL greatest(toDateTime(started), toDateTime(ts_ingest)) + INTERVAL 1 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One start of a recorder';
