import type { RecorderStats } from "../recorder.js";

/** What a person wants to see first: is ClickHouse there, are rows landing. */
export function statusText({ recorder, run, link, tables }: RecorderStats): string {
  const lines = Object.entries(tables).map(
    ([name, { offered, stored, pending, deadLettered }]) =>
      `${name.padEnd(24)}${[offered, stored, pending.rows, deadLettered].map((n) => String(n).padStart(14)).join("")}`,
  );
  return [
    `recorder ${recorder}, run ${run}, ClickHouse ${link.state}`,
    "",
    `${"table".padEnd(24)}${["offered", "stored", "pending", "dead letters"].map((h) => h.padStart(14)).join("")}`,
    ...lines,
    "",
    "the same as JSON: /api/status",
    "",
  ].join("\n");
}
