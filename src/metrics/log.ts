import { eachOf } from "./each-table.js";
import type { Emit, EmitHistogram, Metric } from "./metric.js";
import type { MetricsSource } from "./source.js";

type Wal = NonNullable<MetricsSource["stats"]["wal"]>;
type Spool = NonNullable<MetricsSource["stats"]["spool"]>[string];

const STATES: readonly Wal["state"][] = [
  "ok",
  "nearly_full",
  "slow",
  "full",
  "read_only",
  "failing",
  "missing",
  "too_many_files",
  "denied",
  "down",
];

/** The write-ahead log and the spool; a recorder without them has no such series. */
export const LOG: readonly Metric[] = [
  {
    name: "recorder_wal_size_bytes",
    type: "gauge",
    help: "Bytes of the log's live segments.",
    labels: [],
    read: log(({ bytes }, emit) => emit(bytes)),
  },
  {
    name: "recorder_wal_max_bytes",
    type: "gauge",
    help: "The most that the log may hold (`wal.max`), bytes.",
    labels: [],
    read: log(({ max }, emit) => emit(max)),
  },
  {
    name: "recorder_wal_segments",
    type: "gauge",
    help: "Live segments of the log.",
    labels: [],
    read: log(({ segments }, emit) => emit(segments)),
  },
  {
    name: "recorder_wal_logged_rows_total",
    type: "counter",
    help: "Rows of this start that the log's disk has taken.",
    labels: ["table"],
    read: log(({ logged }, emit) => eachOf(logged, emit)),
  },
  {
    name: "recorder_wal_pending_rows",
    type: "gauge",
    help: "Rows in the log whose fate is not known, those of earlier starts included.",
    labels: ["table"],
    read: log(({ pending }, emit) => eachOf(pending, emit)),
  },
  {
    name: "recorder_wal_missing_rows",
    type: "gauge",
    help: "Rows of unknown fate that are damaged in the log or missing from it: nobody waits for them any more.",
    labels: ["table"],
    read: log(({ missing }, emit) => eachOf(missing, emit)),
  },
  {
    name: "recorder_wal_oldest_pending_seconds",
    type: "gauge",
    help: "Age of the oldest row in the log whose fate is not known, seconds; 0 if there is none. Rows of earlier starts count from this start.",
    labels: [],
    read: log(({ oldestPendingSeconds = 0 }, emit) => emit(oldestPendingSeconds)),
  },
  {
    name: "recorder_wal_unsynced_rows",
    type: "gauge",
    help: "Rows that wait for the log's disk.",
    labels: [],
    read: log(({ unsyncedRows }, emit) => emit(unsyncedRows)),
  },
  {
    name: "recorder_wal_fsync_duration_seconds",
    type: "histogram",
    help: "Time of each fdatasync of the log, seconds.",
    labels: [],
    read: log<EmitHistogram>(({ syncSeconds }, emit) => emit(syncSeconds)),
  },
  {
    name: "recorder_wal_seconds_until_full",
    type: "gauge",
    help: "Until critical rows are refused, as the last minute went, seconds; 0 while they are, +Inf while the log does not grow.",
    labels: [],
    read: log(({ secondsUntilFull = Number.POSITIVE_INFINITY, refusing }, emit) =>
      emit(refusing === undefined ? secondsUntilFull : 0),
    ),
  },
  {
    name: "recorder_wal_free_bytes",
    type: "gauge",
    help: "Free bytes of the file system that the log is on.",
    labels: [],
    read: log(({ freeBytes }, emit) => emit(freeBytes)),
  },
  {
    name: "recorder_wal_state",
    type: "gauge",
    help: "1 for the state that the log is in (docs/internals/log-thread.md), 0 for the others.",
    labels: ["state"],
    read: log(({ state }, emit) => {
      for (const each of STATES) emit(state === each ? 1 : 0, each);
    }),
  },
  {
    name: "recorder_wal_refusing",
    type: "gauge",
    help: "1 while critical rows are refused, 0 else.",
    labels: [],
    read: log(({ refusing }, emit) => emit(refusing === undefined ? 0 : 1)),
  },
  {
    name: "recorder_wal_quarantined_total",
    type: "counter",
    help: "Damaged places of the log found since the start; their bytes are in quarantine/.",
    labels: [],
    read: log(({ damaged }, emit) => emit(damaged)),
  },
  {
    name: "recorder_wal_quarantine_files",
    type: "gauge",
    help: "Files in the log's quarantine/, of whatever start.",
    labels: [],
    read: log(({ quarantined }, emit) => emit(quarantined)),
  },
  {
    name: "recorder_spool_size_bytes",
    type: "gauge",
    help: "Bytes of the table's spool on disk.",
    labels: ["table"],
    read: spool(({ bytes }, emit, table) => emit(bytes, table)),
  },
  {
    name: "recorder_spool_max_bytes",
    type: "gauge",
    help: "The most that the table's spool may hold, bytes.",
    labels: ["table"],
    read: spool(({ max }, emit, table) => emit(max, table)),
  },
  {
    name: "recorder_spool_rows",
    type: "gauge",
    help: "Rows in the table's spool that are not stored yet, those of earlier starts included.",
    labels: ["table"],
    read: spool(({ rows }, emit, table) => emit(rows, table)),
  },
  {
    name: "recorder_spooled_rows_total",
    type: "counter",
    help: "Rows put into the table's spool since the start, whatever became of them.",
    labels: ["table"],
    read: spool(({ spooled }, emit, table) => emit(spooled, table)),
  },
];

function log<E = Emit>(read: (wal: Wal, emit: E) => void): (source: MetricsSource, emit: E) => void {
  return ({ stats: { wal } }, emit) => {
    if (wal !== undefined) read(wal, emit);
  };
}

function spool(
  read: (stats: Spool, emit: Emit, table: string) => void,
): (source: MetricsSource, emit: Emit) => void {
  return ({ stats }, emit) => {
    for (const [table, one] of Object.entries(stats.spool ?? {})) read(one, emit, table);
  };
}
