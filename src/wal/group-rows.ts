import { getOrMake } from "./row-sets.js";
import type { LoggedEntry, Summary } from "./segment-index.js";

/** The frames of groups found so far, by ordinal: whether a group that has an end has its rows. */
export class GroupRows {
  readonly #groups = new Map<bigint, Map<number, number>>();

  meet({ special }: Summary): void {
    for (const { entry } of special) {
      const { record, ordinal } = entry;
      if (record.kind !== "rows" || record.group === 0n) continue;
      getOrMake(this.#groups, record.group, () => new Map<number, number>()).set(ordinal, record.count);
    }
  }

  /** Whether as many rows as the end of a group speaks of were found before it; true of any other record. */
  isWhole({ entry, head }: LoggedEntry): boolean {
    if (entry.record.kind !== "group_end") return true;
    let rows = 0;
    for (const [ordinal, count] of this.#groups.get(entry.record.group) ?? [])
      if (ordinal < entry.ordinal) rows += count;
    return rows === head.rows;
  }
}
