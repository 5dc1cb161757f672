import { type HistogramSnapshot, merged, quantile, seenSince } from "../base/histogram.js";
import type { RecorderStats } from "../recorder.js";
import { type Flow, flowOf, rateOf, sumOfFlows } from "./flow.js";
import type { HistoryPoint } from "./history.js";

/** The counters of a recorder at one moment. */
export interface Look {
  /** Monotonic seconds. */
  readonly at: number;
  readonly flows: Readonly<Record<string, Flow>>;
  readonly freshness: HistogramSnapshot | undefined;
  readonly inserts: HistogramSnapshot | undefined;
}

/** Rows a second on each edge, of all tables together and of each. */
export interface Rates extends Flow {
  readonly tables: Readonly<Record<string, Flow>>;
}

export function lookAt(stats: RecorderStats, at: number): Look {
  const tables = Object.entries(stats.tables);
  return {
    at,
    flows: Object.fromEntries(tables.map(([name, table]) => [name, flowOf(name, table, stats)])),
    freshness: merged(tables.map(([, { freshness }]) => freshness)),
    inserts: merged(tables.map(([, { insertSeconds }]) => insertSeconds)),
  };
}

export function ratesBetween(now: Look, before: Look): Rates {
  const seconds = now.at - before.at;
  const tables = Object.fromEntries(
    Object.entries(now.flows).map(([name, flow]) => [name, rateOf(flow, before.flows[name]!, seconds)]),
  );
  return { ...sumOfFlows(Object.values(tables)), tables };
}

/** What happened between two looks, and how the recorder stands at the second. @param at Unix seconds */
export function pointBetween(now: Look, before: Look, stats: RecorderStats, at: number): HistoryPoint {
  const { offered, stored } = ratesBetween(now, before);
  const freshness = between(now.freshness, before.freshness);
  const inserts = between(now.inserts, before.inserts);
  return {
    at,
    offeredRowsPerSecond: offered,
    storedRowsPerSecond: stored,
    freshnessP50Seconds: freshness(0.5),
    freshnessP99Seconds: freshness(0.99),
    queueUsage: Math.max(0, ...Object.values(stats.tables).map(({ usage }) => usage)),
    insertP50Seconds: inserts(0.5),
    insertP99Seconds: inserts(0.99),
    walBytes: stats.wal?.bytes ?? null,
    spoolBytes:
      stats.spool === undefined
        ? null
        : Object.values(stats.spool).reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function between(
  now: HistogramSnapshot | undefined,
  before: HistogramSnapshot | undefined,
): (q: number) => number | null {
  return (q) =>
    now === undefined || before === undefined ? null : (quantile(seenSince(now, before), q) ?? null);
}
