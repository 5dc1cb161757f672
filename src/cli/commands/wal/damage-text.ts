import type { DamageReport } from "../../../wal/damage-report.js";

/** One line of one damaged place. */
export function damageText({
  segment,
  offset,
  bytes,
  reason,
  kind,
  table,
  run,
  firstSeq: first,
  rows,
}: DamageReport): string {
  const place = `segment ${segment}, byte ${offset}, ${bytes} bytes: ${reason}`;
  if (kind === null) return place;
  if (first === null || rows === null) return `${place} (${kind})`;
  return `${place} (${rows} rows of ${table}, run ${run}, seq ${first} to ${first + rows - 1})`;
}
