import type { IndexEntry } from "./records.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

/** Which records of a segment are needed yet. Plain data: the log's thread is told of it by message. */
export interface CarryRule {
  /** Rows whose fate is not known. */
  readonly rows: readonly {
    readonly table: string;
    readonly run: bigint;
    readonly ranges: readonly SeqRange[];
  }[];
  /** Batches with such rows, by the number that their names begin with. */
  readonly batches: readonly { readonly table: string; readonly run: bigint; readonly number: number }[];
  /** Ends of groups with higher ordinals are needed, those of rows that are needed in any case; infinite: no others. */
  readonly endsAbove: number;
}

/** Whether nothing is needed any more. */
export function isEmpty({ rows, batches, endsAbove }: CarryRule): boolean {
  return rows.length === 0 && batches.length === 0 && endsAbove === Number.POSITIVE_INFINITY;
}

/** Says of each record of the segment if it is needed, asked in their order: the end of a group comes behind its frames. */
export function keeperOf(rule: CarryRule): (entry: IndexEntry) => boolean {
  const rows = new Map(rule.rows.map((each) => [`${each.run}/${each.table}`, new SeqSet(each.ranges)]));
  const batches = new Set(rule.batches.map(({ table, run, number }) => `${run}/${number}/${table}`));
  const groups = new Set<bigint>();
  return ({ ordinal, record }) => {
    switch (record.kind) {
      case "rows": {
        const { firstSeq: first, count } = record;
        const unknown = rows.get(`${record.run}/${record.table}`);
        const isNeeded = unknown !== undefined && unknown.within(first, first + count - 1).length > 0;
        if (isNeeded && record.group !== 0n) groups.add(record.group);
        return isNeeded;
      }
      case "seal":
      case "skip":
        return batches.has(`${record.run}/${numberOf(record.batch)}/${record.table}`);
      case "split":
        return batches.has(`${record.run}/${numberOf(record.parent)}/${record.table}`);
      case "group_end":
        return ordinal > rule.endsAbove || groups.has(record.group);
    }
  };
}

/** 17 of the batches named `17` and `17.250-500`. */
export function numberOf(name: string): number {
  return Number.parseInt(name, 10);
}
