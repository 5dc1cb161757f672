import type { Damage } from "./recovered.js";

/** A damaged place as `--json` and the admin API tell it. */
export interface DamageReport {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** What follows is of the record that was there, as far as that is legible. */
  readonly kind: string | null;
  readonly table: string | null;
  readonly run: string | null;
  readonly firstSeq: number | null;
  readonly rows: number | null;
}

/** A damaged place for programs. */
export function damageReport({ segment, offset, bytes, reason, record }: Damage): DamageReport {
  const frame = record?.record.kind === "rows" ? record.record : undefined;
  return {
    segment,
    offset,
    bytes,
    reason,
    kind: record?.record.kind ?? null,
    table: frame?.table ?? null,
    run: frame === undefined ? null : String(frame.run),
    firstSeq: frame?.firstSeq ?? null,
    rows: frame?.count ?? null,
  };
}
