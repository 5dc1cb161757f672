import type { TableStats } from "../recorder.js";
import type { Emit } from "./metric.js";
import type { MetricsSource } from "./source.js";

/** Reads one series or more of each table. */
export function eachTable<E extends (...values: never[]) => void = Emit>(
  read: (stats: TableStats, emit: E, table: string) => void,
): (source: MetricsSource, emit: E) => void {
  return ({ stats }, emit) => {
    for (const [table, tableStats] of Object.entries(stats.tables)) read(tableStats, emit, table);
  };
}

/** Reads a count by one more label, such as the reason. */
export function eachOf(
  counts: Readonly<Record<string, number>>,
  emit: (value: number, label: string) => void,
): void {
  for (const [label, count] of Object.entries(counts)) emit(count, label);
}
