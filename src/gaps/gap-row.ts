import type { Row } from "../native/block.js";
import type { GapReason } from "./gap.js";
import type { GapTotals } from "./gap-window.js";

/** Part of the recorder in which rows go missing. */
const COMPONENT: Readonly<Record<GapReason, string>> = {
  sampled: "policy",
  deduplicated: "policy",
  policy: "policy",
  queue_full: "buffer",
  memory_full: "buffer",
  spool_full: "spool",
  spool_damaged: "spool",
  purged: "log",
  ring_full: "ring",
  too_large: "ring",
  closed: "buffer",
  pipeline_died: "pipeline",
};

/** The row of `system_events` that tells of a gap; `docs/guides/gaps.md` names its attributes. */
export function gapRow(totals: GapTotals, wallMs: number): Row {
  const { table, reason, level, rows, from, to, seqs, run, named, series, others } = totals;
  const attributes: Record<string, string> = { table, reason, level: String(level) };
  if (run !== undefined) attributes["run"] = run;
  if (seqs !== undefined) {
    attributes["first_seq"] = String(seqs.first);
    attributes["last_seq"] = String(seqs.last);
  }
  if (named.length > 0) {
    const entries = named.map(([by, missing]) => ({ ...texts(by), rows: missing }));
    attributes["missing"] = JSON.stringify(entries);
    attributes["series"] = String(series);
  }
  if (others > 0) attributes["others"] = String(others);
  return {
    ts: new Date(wallMs),
    kind: "data_gap",
    severity: isLeftOut(totals) ? "warning" : "error",
    component: COMPONENT[reason],
    message: `${rows} rows of ${table} are missing: ${reason}`,
    from_ts: from ?? null,
    to_ts: to ?? null,
    rows,
    attributes,
  };
}

/** Rows left out on purpose; the others are lost. */
function isLeftOut({ reason }: GapTotals): boolean {
  return reason === "sampled" || reason === "deduplicated" || reason === "policy";
}

function texts(values: Row): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
