import type { MetricPanel, PanelRow } from "./panel.js";

const OF = '{instance=~"$instance",table=~"$table"}';
const ALONE = '{instance=~"$instance"}';
const SPAN = "$__rate_interval";

function rate(metric: string, by: string, of: string = OF): string {
  return `sum by (${by}) (rate(${metric}${of}[${SPAN}]))`;
}

function quantile(q: number, metric: string, by: string, of: string = OF): string {
  return `histogram_quantile(${q}, sum by (${by}, le) (rate(${metric}_bucket${of}[${SPAN}])))`;
}

function quantiles(metric: string, by: string, of: string, name: string): [string, string][] {
  return [
    [quantile(0.5, metric, by, of), `${name} p50`],
    [quantile(0.99, metric, by, of), `${name} p99`],
  ];
}

/** The dashboard of the recorder, in the order of a row's way. */
export const RECORDER: readonly PanelRow<MetricPanel>[] = [
  {
    title: "At a glance",
    panels: [
      {
        title: "Link to ClickHouse",
        what: "up, degraded, down or recovering.",
        unit: "short",
        kind: "stat",
        queries: [[`recorder_link_state${ALONE} == 1`, "{{instance}} {{state}}"]],
      },
      {
        title: "Offered rows",
        what: "Rows a second over all tables.",
        unit: "rowsps",
        kind: "stat",
        queries: [[`sum(rate(recorder_offered_rows_total${OF}[${SPAN}]))`, "offered"]],
      },
      {
        title: "Log full in",
        what: "As the last minute went; infinite while the log does not grow.",
        unit: "s",
        kind: "stat",
        queries: [[`min(recorder_wal_seconds_until_full${ALONE})`, "until full"]],
      },
      {
        title: "Dead letters",
        what: "Refused rows on disk.",
        unit: "short",
        kind: "stat",
        queries: [[`sum(recorder_dead_letter_rows${OF}) or vector(0)`, "rows"]],
      },
    ],
  },
  {
    title: "Rows",
    panels: [
      {
        title: "Rows by outcome",
        what: "accepted = stored + pending + deduplicated + sampled + dropped + dead_lettered.",
        unit: "rowsps",
        queries: [[rate("recorder_rows_total", "outcome"), "{{outcome}}"]],
      },
      {
        title: "Stored by table",
        what: "Rows a second that ClickHouse took.",
        unit: "rowsps",
        kind: "stacked",
        queries: [
          [
            `sum by (table) (rate(recorder_rows_total{instance=~"$instance",table=~"$table",outcome=~"stored|inherited_stored"}[${SPAN}]))`,
            "{{table}}",
          ],
        ],
      },
      {
        title: "Refused and dropped by reason",
        what: "Rows that were not taken, and best-effort rows that were given up.",
        unit: "rowsps",
        queries: [
          [rate("recorder_refused_rows_total", "table, reason"), "refused {{table}} {{reason}}"],
          [rate("recorder_dropped_rows_total", "table, reason"), "dropped {{table}} {{reason}}"],
        ],
      },
      {
        title: "Freshness",
        what: "From taking a row until ClickHouse had it.",
        unit: "s",
        queries: quantiles("recorder_freshness_seconds", "table", OF, "{{table}}"),
      },
      {
        title: "Event lag",
        what: "From the event's own time until the recorder took it; less than 0 where the event's clock is ahead.",
        unit: "s",
        queries: quantiles("recorder_event_lag_seconds", "table", OF, "{{table}}"),
      },
      {
        title: "Rows that wait",
        what: "Of this start, and of earlier ones.",
        unit: "short",
        kind: "stacked",
        queries: [
          [`recorder_pending_rows${OF}`, "{{table}}"],
          [`recorder_inherited_pending_rows${OF} > 0`, "{{table}} of earlier starts"],
        ],
      },
    ],
  },
  {
    title: "Inserts",
    panels: [
      {
        title: "Insert latency",
        what: "Time of each INSERT that succeeded.",
        unit: "s",
        kind: "heatmap",
        queries: [
          [`sum by (le) (increase(recorder_insert_duration_seconds_bucket${OF}[${SPAN}]))`, "{{le}}"],
        ],
      },
      {
        title: "Batch sizes",
        what: "Rows of an INSERT.",
        unit: "short",
        queries: quantiles("recorder_insert_rows", "table", OF, "{{table}}"),
      },
      {
        title: "Insert errors",
        what: "Failed attempts by class and code.",
        unit: "cps",
        queries: [
          [rate("recorder_insert_errors_total", "table, class, code"), "{{table}} {{class}} {{code}}"],
        ],
      },
      {
        title: "Queue usage",
        what: "At 1 the next row finds no room.",
        unit: "percentunit",
        queries: [[`recorder_queue_usage_ratio${OF}`, "{{table}}"]],
      },
    ],
  },
  {
    title: "Log and spool",
    panels: [
      {
        title: "Log size",
        what: "Live segments, and the most that they may be.",
        unit: "bytes",
        queries: [
          [`recorder_wal_size_bytes${ALONE}`, "{{instance}}"],
          [`recorder_wal_max_bytes${ALONE}`, "{{instance}} at most"],
        ],
      },
      {
        title: "Log pending rows",
        what: "Rows in the log whose fate is not known.",
        unit: "short",
        kind: "stacked",
        queries: [[`recorder_wal_pending_rows${OF}`, "{{table}}"]],
      },
      {
        title: "Oldest pending row",
        what: "Age of the oldest row in the log that is not stored.",
        unit: "s",
        queries: [[`recorder_wal_oldest_pending_seconds${ALONE}`, "{{instance}}"]],
      },
      {
        title: "Fsync latency",
        what: "Acknowledgements wait for it.",
        unit: "s",
        queries: quantiles("recorder_wal_fsync_duration_seconds", "instance", ALONE, "{{instance}}"),
      },
      {
        title: "Spool size",
        what: "Best-effort batches that wait on disk.",
        unit: "bytes",
        kind: "stacked",
        queries: [[`recorder_spool_size_bytes${OF}`, "{{table}}"]],
      },
      {
        title: "Replay",
        what: "Rows of the replay that goes on: how many waited as it began, and how many are left.",
        unit: "short",
        queries: [
          [`recorder_replay_rows${ALONE}`, "{{instance}} waited"],
          [`recorder_replay_left_rows${ALONE}`, "{{instance}} left"],
        ],
      },
    ],
  },
  {
    title: "Pressure",
    panels: [
      {
        title: "Levels",
        what: "Step of the ladder that is in force; 0 is normal.",
        unit: "short",
        queries: [[`recorder_degrade_level${OF}`, "{{table}}"]],
      },
      {
        title: "Pressure by cause",
        what: "At 1 rows have no room.",
        unit: "percentunit",
        queries: [[`max by (table, cause) (recorder_pressure_ratio${OF})`, "{{table}} {{cause}}"]],
      },
      {
        title: "Memory",
        what: "Rows that are held, and the most that they may take.",
        unit: "bytes",
        queries: [
          [`recorder_memory_used_bytes${ALONE}`, "{{instance}}"],
          [`recorder_memory_max_bytes${ALONE}`, "{{instance}} at most"],
        ],
      },
      {
        title: "Ring usage",
        what: "Of recorders in a trading process; a service has no rings.",
        unit: "percentunit",
        queries: [[`recorder_ring_usage_ratio${ALONE}`, "{{instance}} {{producer}}"]],
      },
    ],
  },
  {
    title: "Process",
    panels: [
      {
        title: "CPU",
        what: "Cores in use.",
        unit: "short",
        queries: [[`rate(process_cpu_seconds_total${ALONE}[${SPAN}])`, "{{instance}}"]],
      },
      {
        title: "Event loop delay",
        what: "1 of 100 turns of the process took longer.",
        unit: "s",
        queries: [[`nodejs_eventloop_lag_p99_seconds${ALONE}`, "{{instance}}"]],
      },
      {
        title: "Garbage collection",
        what: "Share of the time.",
        unit: "percentunit",
        queries: [
          [`sum by (instance) (rate(nodejs_gc_duration_seconds_sum${ALONE}[${SPAN}]))`, "{{instance}}"],
        ],
      },
      {
        title: "Told by the recorder",
        what: "Events by kind.",
        unit: "short",
        queries: [[`sum by (event) (increase(recorder_events_total${ALONE}[${SPAN}])) > 0`, "{{event}}"]],
      },
    ],
  },
];
