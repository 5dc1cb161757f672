import type { Alert, Span } from "./alert.js";

const MINUTE = 60;
const HOUR = 3600;

/**
 * That a counter has grown. `increase()` alone does not see a series that begins at 1, as that of an event in the first second of a process
 * does; nor may a scrape that failed make an old count look new.
 */
function grew(counter: string, seconds: number): (span: Span) => string {
  return (span) =>
    `(increase(${counter}[${span(seconds)}]) > 0 or (${counter} > 0 unless count_over_time(${counter}[${span(seconds)}] offset ${span(seconds)})))`;
}

/** The same of tables that may lose nothing. */
function grewOfCritical(counter: string, seconds: number): (span: Span) => string {
  return (span) =>
    `${grew(counter, seconds)(span)} and on (instance, table) recorder_table_info{class="critical"}`;
}

/** Every alert of coldpath. The rules, their unit tests and the proof with real faults are made from here. */
export const ALERTS: readonly Alert[] = [
  {
    name: "ColdpathDown",
    severity: "critical",
    summary: "{{ $labels.instance }} answers no scrape: nothing is recorded there, or nobody sees it",
    for: MINUTE,
    expr: () => 'up{job="coldpath"} == 0',
    test: {
      series: { 'up{job="coldpath",instance="a"}': "1 1 0 0 0 0 1 1" },
      fires: { 4: { job: "coldpath", instance: "a" } },
      quiet: [1, 7],
    },
  },
  {
    name: "ColdpathPipelineDown",
    severity: "critical",
    summary:
      "the pipeline thread of {{ $labels.instance }} does not come back: rows wait in their rings, and then find no room",
    for: MINUTE,
    expr: () => "recorder_pipeline_up == 0",
    test: {
      series: { 'recorder_pipeline_up{instance="a"}': "1 0 0 0 0 1 1" },
      fires: { 3: { instance: "a" } },
      quiet: [0, 6],
    },
  },
  {
    name: "ColdpathNotLanding",
    severity: "critical",
    summary: "rows of {{ $labels.table }} wait, and nothing became of any of them for three minutes",
    for: MINUTE,
    expr: (span) =>
      "(recorder_pending_rows + recorder_inherited_pending_rows > 0) unless on (instance, table) sum by (instance, table) " +
      `(increase(recorder_rows_total{outcome=~"(inherited_)?(stored|dead_lettered)"}[${span(3 * MINUTE)}])) > 0`,
    test: {
      series: {
        'recorder_pending_rows{instance="a",table="orders"}': "0 5 5 5 5 5 5 5 0 0",
        'recorder_inherited_pending_rows{instance="a",table="orders"}': "0x9",
        'recorder_rows_total{instance="a",table="orders",outcome="stored"}': "0 10 10 10 10 10 10 10 15 15",
      },
      fires: { 7: { instance: "a", table: "orders" } },
      quiet: [2, 9],
    },
  },
  {
    name: "ColdpathFreshnessHigh",
    severity: "warning",
    summary:
      "1 of 100 rows of {{ $labels.table }} takes {{ $value | humanizeDuration }} until it can be read",
    for: 5 * MINUTE,
    expr: (span) =>
      `histogram_quantile(0.99, sum by (instance, table, le) (rate(recorder_freshness_seconds_bucket[${span(5 * MINUTE)}]))) > 5`,
    test: {
      series: {
        'recorder_freshness_seconds_bucket{instance="a",table="fills",le="1"}': "0+100x5 500x20",
        'recorder_freshness_seconds_bucket{instance="a",table="fills",le="10"}': "0+100x15 1500x10",
        'recorder_freshness_seconds_bucket{instance="a",table="fills",le="+Inf"}': "0+100x15 1500x10",
      },
      fires: { 14: { instance: "a", table: "fills" } },
      quiet: [4, 22],
    },
  },
  {
    name: "ColdpathHeartbeatLate",
    severity: "critical",
    summary:
      "a row that {{ $labels.instance }} took {{ $value | humanizeDuration }} ago cannot be read in ClickHouse",
    for: 0,
    expr: (span) => `recorder_heartbeat_waiting_seconds > ${secondsOf(span(2 * MINUTE))}`,
    test: {
      series: { 'recorder_heartbeat_waiting_seconds{instance="a"}': "0 60 120 180 240 1" },
      fires: { 3: { instance: "a" } },
      quiet: [1, 5],
    },
  },
  {
    name: "ColdpathClickHouseUnreachable",
    severity: "critical",
    summary: "{{ $labels.instance }} cannot reach ClickHouse: critical rows go to the log, which has an end",
    for: MINUTE,
    expr: () => 'recorder_link_state{state="down"} == 1',
    test: {
      series: { 'recorder_link_state{instance="a",state="down"}': "0 1 1 1 1 0 0" },
      fires: { 3: { instance: "a", state: "down" } },
      quiet: [0, 6],
    },
  },
  {
    name: "ColdpathInsertSlow",
    severity: "warning",
    summary: "1 of 100 inserts into {{ $labels.table }} takes {{ $value | humanizeDuration }}",
    for: 5 * MINUTE,
    expr: (span) =>
      `histogram_quantile(0.99, sum by (instance, table, le) (rate(recorder_insert_duration_seconds_bucket[${span(5 * MINUTE)}]))) > 5`,
    test: {
      series: {
        'recorder_insert_duration_seconds_bucket{instance="a",table="fills",le="5"}': "0+10x5 50x20",
        'recorder_insert_duration_seconds_bucket{instance="a",table="fills",le="10"}': "0+10x15 150x10",
        'recorder_insert_duration_seconds_bucket{instance="a",table="fills",le="+Inf"}': "0+10x15 150x10",
      },
      fires: { 14: { instance: "a", table: "fills" } },
      quiet: [4, 22],
    },
  },
  {
    name: "ColdpathInsertErrors",
    severity: "warning",
    summary: "inserts into {{ $labels.table }} keep failing: {{ $labels.class }}, code {{ $labels.code }}",
    for: 2 * MINUTE,
    expr: grew("recorder_insert_errors_total", 5 * MINUTE),
    test: {
      series: {
        'recorder_insert_errors_total{instance="a",table="fills",class="pause",code="60"}':
          "_x2 1 2 3 4 4x10",
      },
      fires: { 5: { instance: "a", table: "fills", class: "pause", code: "60" } },
      quiet: [2, 14],
    },
  },
  {
    name: "ColdpathTablePaused",
    severity: "critical",
    summary:
      "{{ $labels.table }} takes no more batches ({{ $labels.class }}): somebody has to mend what ClickHouse complains of",
    for: MINUTE,
    expr: () => "recorder_table_paused == 1",
    test: {
      series: { 'recorder_table_paused{instance="a",table="fills",class="pause"}': "_ 1 1 1 1 stale" },
      fires: { 3: { instance: "a", table: "fills", class: "pause" } },
      quiet: [0, 6],
    },
  },
  {
    name: "ColdpathSchemaDrift",
    severity: "warning",
    summary:
      "the tables in ClickHouse are not those that {{ $labels.instance }} records ({{ $labels.event }})",
    for: 0,
    // What is unknown stays so until a restart, which begins the count anew.
    expr: (span) =>
      `recorder_events_total{event="columns_unknown"} > 0 or ${grew('recorder_events_total{event="start_refused"}', 10 * MINUTE)(span)}`,
    test: {
      series: {
        'recorder_events_total{instance="a",event="columns_unknown"}': "0x3 1x20 0x3",
        'recorder_events_total{instance="b",event="start_refused"}': "_x30 1x20",
      },
      fires: {
        20: { instance: "a", event: "columns_unknown" },
        32: { instance: "b", event: "start_refused" },
      },
      quiet: [2, 26, 45],
    },
  },
  {
    name: "ColdpathWalGrowing",
    severity: "warning",
    summary:
      "the log of {{ $labels.instance }} holds {{ $value | humanizePercentage }} of what it may, and grows",
    for: 5 * MINUTE,
    expr: (span) =>
      `recorder_wal_size_bytes / recorder_wal_max_bytes > 0.25 and deriv(recorder_wal_size_bytes[${span(10 * MINUTE)}]) > 0`,
    test: {
      series: {
        'recorder_wal_size_bytes{instance="a"}': "200+20x15 200x20",
        'recorder_wal_max_bytes{instance="a"}': "1000x40",
      },
      fires: { 12: { instance: "a" } },
      quiet: [2, 30],
    },
  },
  {
    name: "ColdpathWalOldestPending",
    severity: "warning",
    summary: "a row has waited in the log of {{ $labels.instance }} for {{ $value | humanizeDuration }}",
    for: MINUTE,
    expr: (span) => `recorder_wal_oldest_pending_seconds > ${secondsOf(span(10 * MINUTE))}`,
    test: {
      series: { 'recorder_wal_oldest_pending_seconds{instance="a"}': "0+60x15 0x5" },
      fires: { 13: { instance: "a" } },
      quiet: [9, 18],
    },
  },
  {
    name: "ColdpathDiskFullSoon",
    severity: "critical",
    summary:
      "the log of {{ $labels.instance }} is full in {{ $value | humanizeDuration }}: then critical rows are refused",
    // A log grows until the first of its rows are old enough to go (`wal.keep_acked`).
    for: 10 * MINUTE,
    expr: () => `recorder_wal_seconds_until_full < ${4 * HOUR}`,
    test: {
      series: { 'recorder_wal_seconds_until_full{instance="a"}': "+Inf 9000x14 +Inf +Inf" },
      fires: { 13: { instance: "a" } },
      quiet: [0, 9, 17],
    },
  },
  {
    name: "ColdpathFsyncSlow",
    severity: "warning",
    summary:
      "1 of 100 syncs of the log of {{ $labels.instance }} takes {{ $value | humanizeDuration }}: acknowledgements wait for it",
    for: 2 * MINUTE,
    expr: (span) =>
      `histogram_quantile(0.99, sum by (instance, le) (rate(recorder_wal_fsync_duration_seconds_bucket[${span(5 * MINUTE)}]))) > 0.2`,
    test: {
      series: {
        'recorder_wal_fsync_duration_seconds_bucket{instance="a",le="0.1"}': "0+10x3 30x20",
        'recorder_wal_fsync_duration_seconds_bucket{instance="a",le="1"}': "0+10x9 90x12",
        'recorder_wal_fsync_duration_seconds_bucket{instance="a",le="+Inf"}': "0+10x9 90x12",
      },
      fires: { 9: { instance: "a" } },
      quiet: [2, 18],
    },
  },
  {
    name: "ColdpathWalTroubled",
    severity: "critical",
    summary: "the log of {{ $labels.instance }} does not work as it should: recorder_wal_state says how",
    for: 30,
    // Also while it goes from one trouble to the next.
    expr: () => 'recorder_wal_state{state="ok"} == 0',
    test: {
      series: { 'recorder_wal_state{instance="a",state="ok"}': "1 0 0 0 1" },
      fires: { 2: { instance: "a", state: "ok" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathCriticalRefused",
    severity: "critical",
    summary: "{{ $labels.instance }} refuses critical rows: log, queue or ring take none",
    for: 0,
    expr: (span) =>
      `max by (instance) (recorder_wal_refusing == 1 or (${grewOfCritical('recorder_refused_rows_total{reason!~"[a-z]*_rejected"}', 5 * MINUTE)(span)}) ` +
      `or (${grewOfCritical('recorder_ring_rows_total{outcome=~"ring_full|too_large|closed"}', 5 * MINUTE)(span)}))`,
    test: {
      series: {
        'recorder_wal_refusing{instance="a"}': "0 1 1 0x40",
        'recorder_table_info{instance="a",table="orders",class="critical"}': "1x40",
        'recorder_table_info{instance="a",table="market_data",class="best_effort"}': "1x40",
        'recorder_refused_rows_total{instance="a",table="orders",reason="queue_full"}': "_x9 50x30",
        'recorder_refused_rows_total{instance="a",table="orders",reason="value_rejected"}': "0+5x40",
        'recorder_ring_rows_total{instance="a",table="orders",outcome="ring_full"}': "0x24 7x20",
        'recorder_ring_rows_total{instance="a",table="market_data",outcome="ring_full"}': "0+5x40",
      },
      fires: { 1: { instance: "a" }, 11: { instance: "a" }, 26: { instance: "a" } },
      quiet: [0, 5, 20, 34],
    },
  },
  {
    name: "ColdpathWalQuarantined",
    severity: "critical",
    summary: "{{ $value }} damaged places were found in the log of {{ $labels.instance }} since its start",
    for: 0,
    // Not by the files in quarantine/: what a crash tore off the end, which nobody was told of, is kept there too.
    expr: () => 'recorder_events_total{event="wal_damage"} > 0',
    test: {
      series: { 'recorder_events_total{instance="a",event="wal_damage"}': "0 0 2 2 0" },
      fires: { 2: { instance: "a", event: "wal_damage" } },
      quiet: [1, 4],
    },
  },
  {
    name: "ColdpathRowsMissing",
    severity: "critical",
    summary: "{{ $value }} rows of {{ $labels.table }} that the log took are not in it any more",
    for: 0,
    expr: () => "recorder_wal_missing_rows > 0",
    test: {
      series: { 'recorder_wal_missing_rows{instance="a",table="fills"}': "_ 3 3 stale" },
      fires: { 1: { instance: "a", table: "fills" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathRowsDropped",
    severity: "warning",
    summary: "more rows of {{ $labels.table }} are dropped than conditions.drop_rate allows",
    for: 0,
    expr: () => 'recorder_condition{condition="drop_rate"} == 1',
    test: {
      series: { 'recorder_condition{instance="a",table="market_data",condition="drop_rate"}': "_ 1 1 stale" },
      fires: { 1: { instance: "a", table: "market_data", condition: "drop_rate" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathLevelHeld",
    severity: "warning",
    summary: "{{ $labels.table }} has been thinned out for longer than conditions.level_held",
    for: 0,
    expr: () => 'recorder_condition{condition="level_held"} == 1',
    test: {
      series: {
        'recorder_condition{instance="a",table="market_data",condition="level_held"}': "_ 1 1 stale",
      },
      fires: { 1: { instance: "a", table: "market_data", condition: "level_held" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathSpoolNearlyFull",
    severity: "warning",
    summary: "the spool of {{ $labels.table }} is nearly full: its oldest rows are given up next",
    for: 0,
    expr: () => 'recorder_condition{condition="spool_nearly_full"} == 1',
    test: {
      series: {
        'recorder_condition{instance="a",table="market_data",condition="spool_nearly_full"}': "_ 1 1 stale",
      },
      fires: { 1: { instance: "a", table: "market_data", condition: "spool_nearly_full" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathDeadLetters",
    severity: "warning",
    summary: "{{ $value }} rows of {{ $labels.table }} were refused and wait in the dead letters",
    for: 0,
    expr: () => "recorder_dead_letter_rows > 0",
    test: {
      series: { 'recorder_dead_letter_rows{instance="a",table="orders"}': "_ 2 2 stale" },
      fires: { 1: { instance: "a", table: "orders" } },
      quiet: [0, 4],
    },
  },
  {
    name: "ColdpathConservationViolated",
    severity: "critical",
    summary: "the counts of {{ $labels.table }} do not add up: a fault of coldpath",
    for: 0,
    expr: () => "recorder_conservation_violated == 1",
    test: {
      series: { 'recorder_conservation_violated{instance="a",table="orders"}': "0 1 1 0" },
      fires: { 1: { instance: "a", table: "orders" } },
      quiet: [0, 3],
    },
  },
  {
    name: "ColdpathIncident",
    severity: "critical",
    summary:
      "rows of {{ $labels.table }} in ClickHouse are not as one insert can leave them: {{ $labels.incident }}",
    for: 0,
    expr: grew("recorder_incidents_total", 10 * MINUTE),
    test: {
      // At minute 17 a scrape failed.
      series: {
        'recorder_incidents_total{instance="a",table="orders",incident="partly_stored"}':
          "_x3 1x13 stale 1x20",
      },
      fires: { 5: { instance: "a", table: "orders", incident: "partly_stored" } },
      quiet: [2, 16, 20, 29],
    },
  },
  {
    name: "ColdpathWorkerRestarts",
    severity: "warning",
    summary: "the {{ $labels.worker }} thread of {{ $labels.instance }} died and was started again",
    for: 0,
    expr: grew("recorder_worker_restarts_total", 10 * MINUTE),
    test: {
      series: { 'recorder_worker_restarts_total{instance="a",worker="log"}': "0x3 1x20" },
      fires: { 5: { instance: "a", worker: "log" } },
      quiet: [2, 16],
    },
  },
  {
    name: "ColdpathRecorderClash",
    severity: "critical",
    summary: "another recorder runs under the name of {{ $labels.instance }}",
    for: 0,
    // Told once in the life of a recorder; it is over when one of them is started under another name.
    expr: () => 'recorder_events_total{event="recorder_clash"} > 0',
    test: {
      series: { 'recorder_events_total{instance="a",event="recorder_clash"}': "0x3 1x20 0x3" },
      fires: { 20: { instance: "a", event: "recorder_clash" } },
      quiet: [2, 26],
    },
  },
];

/** A span as a plain number, for metrics that are seconds themselves. */
function secondsOf(span: string): number {
  return Number(span.slice(0, -1));
}
