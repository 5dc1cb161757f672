import { eachOf, eachTable } from "./each-table.js";
import type { Metric } from "./metric.js";

/** Memory, rings, pressure and what was given up because of it. */
export const OVERLOAD: readonly Metric[] = [
  {
    name: "recorder_memory_used_bytes",
    type: "gauge",
    help: "Bytes of rows that are held in memory, of all tables.",
    labels: [],
    read: ({ stats: { memory } }, emit) => emit(memory.used),
  },
  {
    name: "recorder_memory_max_bytes",
    type: "gauge",
    help: "The most that rows may hold in memory (`memory.max`, and rows that wait for the log's disk), bytes.",
    labels: [],
    read: ({ stats: { memory } }, emit) => emit(memory.max),
  },
  {
    name: "recorder_ring_usage_ratio",
    type: "gauge",
    help: "Share of a producer's ring that is taken.",
    labels: ["producer"],
    outlives: true,
    read: ({ rings }, emit) => {
      for (const { producer, usage } of rings) emit(usage, producer);
    },
  },
  {
    name: "recorder_ring_rows_total",
    type: "counter",
    help: "Rows recorded into rings, by outcome: taken, appended (to a file, the ring being full), or refused as ring_full, too_large or closed.",
    labels: ["table", "outcome"],
    outlives: true,
    read: ({ ringRows }, emit) => {
      for (const [table, counts] of Object.entries(ringRows))
        eachOf(counts, (rows, outcome) => emit(rows, table, outcome));
    },
  },
  {
    name: "recorder_pressure_ratio",
    type: "gauge",
    help: "How hard pressed a table is, from 0 to 1 (rows have no room), by the sign that says so: ring, queue, memory, freshness, link, parts.",
    labels: ["table", "cause"],
    read: eachTable(({ pressure }, emit, table) =>
      eachOf({ ...pressure.inputs }, (value, cause) => emit(value, table, cause)),
    ),
  },
  {
    name: "recorder_degrade_level",
    type: "gauge",
    help: "Step of the table's ladder that is in force; 0 is normal.",
    labels: ["table"],
    read: eachTable(({ level }, emit, table) => emit(level.index, table)),
  },
  {
    name: "recorder_degrade_changes_total",
    type: "counter",
    help: "Steps up and down the table's ladder.",
    labels: ["table"],
    read: eachTable(({ level }, emit, table) => emit(level.changes, table)),
  },
  {
    name: "recorder_degrade_since_timestamp_seconds",
    type: "gauge",
    help: "When the present step was entered, Unix time in seconds.",
    labels: ["table"],
    read: eachTable(({ level }, emit, table) => emit(level.since, table)),
  },
];
