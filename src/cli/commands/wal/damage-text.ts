import type { Damage } from "../../../wal/recovered.js";

/** One line of one damaged place. */
export function damageText({ segment, offset, bytes, reason, record }: Damage): string {
  const place = `segment ${segment}, byte ${offset}, ${bytes} bytes: ${reason}`;
  if (record === undefined) return place;
  if (record.record.kind !== "rows") return `${place} (${record.record.kind})`;
  const { table, run, firstSeq, count } = record.record;
  return `${place} (${count} rows of ${table}, run ${run}, seq ${firstSeq} to ${firstSeq + count - 1})`;
}

/** Its twin for programs. */
export function damageJson({
  segment,
  offset,
  bytes,
  reason,
  record,
}: Damage): Readonly<Record<string, unknown>> {
  const frame = record?.record.kind === "rows" ? record.record : undefined;
  return {
    segment,
    offset,
    bytes,
    reason,
    kind: record?.record.kind ?? null,
    table: frame?.table ?? null,
    run: frame === undefined ? null : String(frame.run),
    first_seq: frame?.firstSeq ?? null,
    rows: frame?.count ?? null,
  };
}
