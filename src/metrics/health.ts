import { eachOf, eachTable } from "./each-table.js";
import type { Metric } from "./metric.js";

/** Whether the recorder is well, and which it is. */
export const HEALTH: readonly Metric[] = [
  {
    name: "recorder_pipeline_up",
    type: "gauge",
    help: "1 while the recorder's pipeline answers, 0 while its thread is being started again; then only what the process itself counts is there.",
    labels: [],
    outlives: true,
    read: ({ isUp }, emit) => emit(isUp ? 1 : 0),
  },
  {
    name: "recorder_dead_letters_readable",
    type: "gauge",
    help: "1 if the folder of the dead letters could be read at this scrape, else 0: recorder_dead_letter_rows is that of an earlier one.",
    labels: [],
    outlives: true,
    read: ({ deadLetters }, emit) => emit(deadLetters.isReadable ? 1 : 0),
  },
  {
    name: "recorder_conservation_violated",
    type: "gauge",
    help: "1 while the table's counts do not add up: a fault of coldpath.",
    labels: ["table"],
    read: eachTable(({ conservation }, emit, table) => emit(conservation.holds ? 0 : 1, table)),
  },
  {
    name: "recorder_condition",
    type: "gauge",
    help: "1 for each condition that holds (docs/guides/overload.md).",
    labels: ["condition", "table"],
    read: ({ stats }, emit) => {
      for (const { name, table } of stats.conditions) emit(1, name, table);
    },
  },
  {
    name: "recorder_events_total",
    type: "counter",
    help: "What the recorder told of itself since the start, by kind (docs/reference/log-events.md).",
    labels: ["event"],
    outlives: true,
    read: ({ events }, emit) => {
      for (const [event, count] of events) emit(count, event);
    },
  },
  {
    name: "recorder_incidents_total",
    type: "counter",
    help: "Findings that need an operator: partly_stored, stored_twice, view_incomplete.",
    labels: ["table", "incident"],
    outlives: true,
    read: ({ incidents }, emit) => {
      for (const { table, incident, count } of incidents) emit(count, table, incident);
    },
  },
  {
    name: "recorder_worker_restarts_total",
    type: "counter",
    help: "Threads that died and were started again: pipeline, log.",
    labels: ["worker"],
    outlives: true,
    read: ({ restarts }, emit) => eachOf(restarts, emit),
  },
  {
    name: "recorder_heartbeat_visible_seconds",
    type: "histogram",
    help: "From taking a row of system_events until a SELECT found it, seconds (`heartbeat.every`).",
    labels: [],
    outlives: true,
    read: ({ heartbeat }, emit) => {
      if (heartbeat !== undefined) emit(heartbeat.visible);
    },
  },
  {
    name: "recorder_heartbeat_waiting_seconds",
    type: "gauge",
    help: "For how long a row of system_events has been taken that no SELECT has found, seconds; 0 if there is none.",
    labels: [],
    outlives: true,
    read: ({ heartbeat }, emit) => {
      if (heartbeat !== undefined) emit(heartbeat.waitingSeconds);
    },
  },
  {
    name: "recorder_build_info",
    type: "gauge",
    help: "Always 1; which coldpath this is, on which Node.js, under which recorder id.",
    labels: ["version", "node", "recorder"],
    read: ({ stats, version }, emit) => emit(1, version, process.versions.node, stats.recorder),
  },
];
