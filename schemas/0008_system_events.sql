-- What happened to the recording itself. A data_gap names in attributes what is missing: table, and where it is known
-- symbol, kind and reason; market_data_gaps reads them there.

CREATE TABLE IF NOT EXISTS system_events
(
    ts         DateTime64(9, 'UTC') COMMENT 'Time of the event [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    kind       LowCardinality(String) COMMENT 'What happened, such as link, level, data_gap or operator [name]' CODEC(ZSTD(1)),
    severity   LowCardinality(String) DEFAULT 'info' COMMENT 'How bad: info, warning, error or critical [name]' CODEC(ZSTD(1)),
    component  LowCardinality(Nullable(String)) COMMENT 'Part of the system it happened in [name]' CODEC(ZSTD(1)),
    message    Nullable(String) COMMENT 'What happened, in words [text]' CODEC(ZSTD(1)),
    from_ts    Nullable(DateTime64(9, 'UTC')) COMMENT 'Start of the stretch it concerns [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    to_ts      Nullable(DateTime64(9, 'UTC')) COMMENT 'End of the stretch it concerns [ns, UTC]' CODEC(GCD, Delta, T64, ZSTD(1)),
    rows       Nullable(UInt64) COMMENT 'Rows it concerns [rows]' CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) DEFAULT map() COMMENT 'Anything else, by name [text]' CODEC(ZSTD(1)),

    env        LowCardinality(String) COMMENT 'Environment the recorder serves, such as prod or paper [name]' CODEC(ZSTD(1)),
    recorder   LowCardinality(String) COMMENT 'Recorder that took the row [name]' CODEC(ZSTD(1)),
    run        UInt64 COMMENT 'Start of that recorder, 64 random bits, see recorder_runs [id]' CODEC(ZSTD(1)),
    seq        UInt64 COMMENT 'Number of the row within its run and table, without holes [rows]' CODEC(Delta, ZSTD(3)),
    source     LowCardinality(String) DEFAULT '' COMMENT 'Where the row came from: file, stream, topic and partition; empty if it has no origin of its own [name]' CODEC(ZSTD(1)),
    source_seq Nullable(UInt64) COMMENT 'Place of the row in its source: line, offset or sequence [rows]' CODEC(Delta, ZSTD(3)),
    ts_ingest  DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') COMMENT 'Time ClickHouse received the row [ns, UTC]' CODEC(Delta, ZSTD(1)),

    INDEX run run TYPE minmax GRANULARITY 1,
    INDEX seq seq TYPE minmax GRANULARITY 1,
    INDEX source source TYPE set(64) GRANULARITY 1,
    INDEX source_seq source_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (kind, ts, seq)
TTL greatest(toDateTime(ts), toDateTime(ts_ingest)) + INTERVAL 1 YEAR + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'An incident, a change of link or level, a data_gap, an operator''s act';
