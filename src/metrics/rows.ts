import type { TableStats } from "../recorder.js";
import { eachOf, eachTable } from "./each-table.js";
import type { EmitHistogram, Metric } from "./metric.js";

/** What became of rows, and how long it took them. */
export const ROWS: readonly Metric[] = [
  {
    name: "recorder_table_info",
    type: "gauge",
    help: "Always 1; which class a table has: critical or best_effort.",
    labels: ["table", "class"],
    read: eachTable((stats, emit, table) => emit(1, table, stats.class)),
  },
  {
    name: "recorder_offered_rows_total",
    type: "counter",
    help: "Rows offered to the recorder: refused + accepted. What a ring had no room for was never offered: recorder_ring_rows_total.",
    labels: ["table"],
    read: eachTable(({ offered }, emit, table) => emit(offered, table)),
  },
  {
    name: "recorder_refused_rows_total",
    type: "counter",
    help: "Rows that were not taken, by reason.",
    labels: ["table", "reason"],
    read: eachTable(({ refused }, emit, table) =>
      eachOf(refused, (rows, reason) => emit(rows, table, reason)),
    ),
  },
  {
    name: "recorder_rows_total",
    type: "counter",
    help:
      "Rows by what became of them: accepted = stored + pending + deduplicated + sampled + dropped + dead_lettered. Rows that an earlier start" +
      " left count under inherited_… alone.",
    labels: ["table", "outcome"],
    read: eachTable((stats, emit, table) =>
      eachOf(outcomesOf(stats), (rows, outcome) => emit(rows, table, outcome)),
    ),
  },
  {
    name: "recorder_dropped_rows_total",
    type: "counter",
    help: "Accepted rows of best-effort tables that were given up, by reason. Each is told in a data_gap row of system_events.",
    labels: ["table", "reason"],
    read: eachTable(({ dropped }, emit, table) =>
      eachOf(dropped, (rows, reason) => emit(rows, table, reason)),
    ),
  },
  {
    name: "recorder_dead_letter_rows",
    type: "gauge",
    help: "Refused rows in the dead letters on disk, of whatever start.",
    labels: ["table"],
    outlives: true,
    read: ({ deadLetters }, emit) => eachOf(deadLetters.rows, emit),
  },
  {
    name: "recorder_pending_rows",
    type: "gauge",
    help: "Rows of this start that were accepted and whose fate is not known yet, in memory, in the log or in the spool.",
    labels: ["table"],
    read: eachTable(({ pending }, emit, table) => emit(pending.rows, table)),
  },
  {
    name: "recorder_inherited_pending_rows",
    type: "gauge",
    help: "Rows that earlier starts left in the log or the spool and whose fate is not known yet.",
    labels: ["table"],
    read: eachTable(({ inherited }, emit, table) => emit(inherited.pending, table)),
  },
  {
    name: "recorder_queue_usage_ratio",
    type: "gauge",
    help: "Share of the table's room for waiting rows that is taken; at 1 the next row finds none.",
    labels: ["table"],
    read: eachTable(({ usage }, emit, table) => emit(usage, table)),
  },
  {
    name: "recorder_queue_rows",
    type: "gauge",
    help: "Rows that are held in memory, those that are being sent included.",
    labels: ["table"],
    read: eachTable(({ pending }, emit, table) => emit(pending.held, table)),
  },
  {
    name: "recorder_queue_bytes",
    type: "gauge",
    help: "Encoded bytes of the rows that are held in memory, bytes.",
    labels: ["table"],
    read: eachTable(({ pending }, emit, table) => emit(pending.bytes, table)),
  },
  {
    name: "recorder_insert_duration_seconds",
    type: "histogram",
    help: "Time of each INSERT that succeeded, from its first byte to ClickHouse's answer, seconds.",
    labels: ["table"],
    read: eachTable<EmitHistogram>(({ insertSeconds }, emit, table) => emit(insertSeconds, table)),
  },
  {
    name: "recorder_insert_rows",
    type: "histogram",
    help: "Rows of each INSERT that succeeded.",
    labels: ["table"],
    read: eachTable<EmitHistogram>(({ insertRows }, emit, table) => emit(insertRows, table)),
  },
  {
    name: "recorder_insert_errors_total",
    type: "counter",
    help: "Attempts to insert that failed, by class (docs/internals/sink.md) and ClickHouse's or the system's code.",
    labels: ["table", "class", "code"],
    read: eachTable(({ insertErrors }, emit, table) =>
      eachOf(insertErrors, (count, key) => {
        const slash = key.indexOf("/");
        emit(count, table, key.slice(0, slash), key.slice(slash + 1));
      }),
    ),
  },
  {
    name: "recorder_freshness_seconds",
    type: "histogram",
    help: "From taking the oldest row of a batch until ClickHouse had stored the batch, once for each of its rows, seconds on a monotonic clock. Rows that were read back from the log count from then.",
    labels: ["table"],
    read: eachTable<EmitHistogram>(({ freshness }, emit, table) => emit(freshness, table)),
  },
  {
    name: "recorder_event_lag_seconds",
    type: "histogram",
    help: "From the event time of a batch's first row until the recorder took the row, once per batch, seconds; less than 0 where the event's clock is ahead, and so the sum may fall. Rows that were read back from the log count from then.",
    labels: ["table"],
    read: eachTable<EmitHistogram>(({ eventLag }, emit, table) => emit(eventLag, table)),
  },
  {
    name: "recorder_oldest_waiting_seconds",
    type: "gauge",
    help: "Age of the oldest row in memory that no INSERT has taken, seconds; 0 if none waits.",
    labels: ["table"],
    read: eachTable(({ oldestSeconds = 0 }, emit, table) => emit(oldestSeconds, table)),
  },
  {
    name: "recorder_last_stored_timestamp_seconds",
    type: "gauge",
    help: "When ClickHouse last stored a batch of the table, Unix time in seconds; absent before the first.",
    labels: ["table"],
    read: eachTable(({ lastStoredAt }, emit, table) => {
      if (lastStoredAt !== undefined) emit(lastStoredAt, table);
    }),
  },
];

function outcomesOf(stats: TableStats): Record<string, number> {
  const { accepted, stored, deduplicated, sampled, dropped, deadLettered, inherited } = stats;
  return {
    accepted,
    stored,
    deduplicated,
    sampled,
    dropped: Object.values(dropped).reduce((sum, rows) => sum + rows, 0),
    dead_lettered: deadLettered,
    inherited_stored: inherited.stored,
    inherited_dropped: inherited.dropped,
    inherited_dead_lettered: inherited.deadLettered,
  };
}
