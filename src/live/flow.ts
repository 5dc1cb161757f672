import type { RecorderStats, TableStats } from "../recorder.js";

/** Rows by the edges of the pipeline that they took, those that an earlier start left included. */
export interface Flow {
  readonly offered: number;
  readonly refused: number;
  readonly accepted: number;
  readonly deduplicated: number;
  readonly sampled: number;
  readonly dropped: number;
  /** Into the log. */
  readonly logged: number;
  /** Into the spool. */
  readonly spooled: number;
  readonly stored: number;
  readonly deadLettered: number;
}

/** How many rows of a table took each edge since the start. */
export function flowOf(name: string, table: TableStats, { wal, spool }: RecorderStats): Flow {
  const { offered, accepted, deduplicated, sampled, inherited } = table;
  return {
    ...{ offered, accepted, deduplicated, sampled },
    refused: sumOf(table.refused),
    dropped: sumOf(table.dropped) + inherited.dropped,
    logged: wal?.logged[name] ?? 0,
    spooled: spool?.[name]?.spooled ?? 0,
    stored: table.stored + inherited.stored,
    deadLettered: table.deadLettered + inherited.deadLettered,
  };
}

/** All of them together. */
export function sumOfFlows(flows: Iterable<Flow>): Flow {
  const sum: Record<keyof Flow, number> = { ...NONE };
  for (const flow of flows) for (const edge of EDGES) sum[edge] += flow[edge];
  return sum;
}

/** Rows a second between two counts. A row that was held back and is let go again may make an edge flow backwards: that counts as still. */
export function rateOf(now: Flow, before: Flow, seconds: number): Flow {
  const rate: Record<keyof Flow, number> = { ...NONE };
  if (seconds > 0) for (const edge of EDGES) rate[edge] = Math.max(0, (now[edge] - before[edge]) / seconds);
  return rate;
}

const NONE: Flow = {
  offered: 0,
  refused: 0,
  accepted: 0,
  deduplicated: 0,
  sampled: 0,
  dropped: 0,
  logged: 0,
  spooled: 0,
  stored: 0,
  deadLettered: 0,
};

const EDGES = Object.keys(NONE) as (keyof Flow)[];

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
