import { MIB } from "../base/units.js";
import type { RecorderStats } from "../recorder.js";

/** What a person wants to see first: is ClickHouse there, are rows landing, is the log well. */
export function statusText({ recorder, run, link, tables, wal }: RecorderStats): string {
  const lines = Object.entries(tables).map(
    ([name, { offered, stored, pending, deadLettered }]) =>
      `${name.padEnd(24)}${[offered, stored, pending.rows, deadLettered].map((n) => String(n).padStart(14)).join("")}`,
  );
  return [
    `recorder ${recorder}, run ${run}, ClickHouse ${link.state}`,
    ...(wal === undefined ? [] : [logLine(wal)]),
    "",
    `${"table".padEnd(24)}${["offered", "stored", "pending", "dead letters"].map((h) => h.padStart(14)).join("")}`,
    ...lines,
    "",
    "the same as JSON: /api/status",
    "",
  ].join("\n");
}

function logLine({
  state,
  reason,
  refusing,
  bytes,
  segments,
  pending,
}: NonNullable<RecorderStats["wal"]>): string {
  const rows = Object.values(pending).reduce((sum, each) => sum + each, 0);
  const files = `${Math.ceil(bytes / MIB)} MiB in ${segments} segment${segments === 1 ? "" : "s"}`;
  return [
    `log ${state}${state === "ok" ? "" : `: ${reason}`}`,
    ...(refusing === undefined ? [] : [`critical rows are refused (${refusing})`]),
    `${rows} rows pending, ${files}`,
  ].join("; ");
}
