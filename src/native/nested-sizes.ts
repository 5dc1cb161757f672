import { ArrayWriter } from "./array.js";
import type { Row } from "./block-column.js";
import type { Slot } from "./slot.js";
import { ValueError } from "./value-error.js";

/** A column `n.a` of a Nested `n`. */
interface NestedSlot {
  readonly name: string;
  readonly stamped: boolean;
  readonly writer: ArrayWriter;
}

/**
 * The columns that make up each Nested: array columns with one name before the first dot. ClickHouse refuses a whole block
 * (code 190) in which one row has arrays of different lengths there.
 */
export function nestedGroups(slots: readonly Slot[]): NestedSlot[][] {
  const groups = new Map<string, NestedSlot[]>();
  for (const { name, stamped, writer } of slots) {
    const dot = name.indexOf(".");
    if (dot < 0 || !(writer instanceof ArrayWriter)) continue;
    const nested = name.slice(0, dot);
    const group = groups.get(nested) ?? [];
    groups.set(nested, group);
    group.push({ name, stamped, writer });
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** @throws ValueError if the arrays that a group holds at `index` differ in length. */
export function checkNestedSizes(group: readonly NestedSlot[], index: number, row: Row, stamp: Row): void {
  const first = group[0]!;
  const size = first.writer.sizeAt(index);
  for (const { name, stamped, writer } of group) {
    const other = writer.sizeAt(index);
    if (other === size) continue;
    const reason = `is of length ${other} where ${first.name} has length ${size}: both are of one Nested`;
    throw new ValueError(name, reason, (stamped ? stamp : row)[name]);
  }
}
