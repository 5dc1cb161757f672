import { eachTable } from "./each-table.js";
import type { Metric } from "./metric.js";

const STATES = ["up", "degraded", "down", "recovering"] as const;

/** How it stands with ClickHouse. */
export const LINK: readonly Metric[] = [
  {
    name: "recorder_link_state",
    type: "gauge",
    help: "1 for the state that the link to ClickHouse is in, 0 for the others.",
    labels: ["state"],
    read: ({ stats: { link } }, emit) => {
      for (const state of STATES) emit(link.state === state ? 1 : 0, state);
    },
  },
  {
    name: "recorder_link_state_seconds",
    type: "gauge",
    help: "For how long the link has been in its present state, seconds.",
    labels: [],
    read: ({ stats }, emit) => emit(stats.link.seconds),
  },
  {
    name: "recorder_table_paused",
    type: "gauge",
    help: "1 while the table's batches wait because of an answer that needs an operator, by the class of that answer.",
    labels: ["table", "class"],
    read: eachTable(({ paused }, emit, table) => {
      if (paused !== undefined) emit(1, table, paused.class);
    }),
  },
  {
    name: "recorder_replay_left_rows",
    type: "gauge",
    help: "Rows of the replay that goes on whose fate is not known yet; 0 if there is none.",
    labels: [],
    read: ({ stats }, emit) => emit(stats.replay?.left ?? 0),
  },
  {
    name: "recorder_replay_rows",
    type: "gauge",
    help: "Rows that waited when the replay that goes on began; 0 if there is none.",
    labels: [],
    read: ({ stats }, emit) => emit(stats.replay?.rows ?? 0),
  },
];
