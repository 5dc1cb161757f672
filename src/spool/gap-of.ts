import { type DropRule, rowsIn } from "../buffer/droppable-rows.js";
import type { Gap } from "../gaps/gap.js";
import type { SpoolDropped } from "./table-spool.js";

/** What is missing of a table when rows of its spool or log were given up: series and times as far as the disk still said. */
export function gapOf(
  table: string,
  { reason, inherited, run, firstSeq, count, block }: Omit<SpoolDropped, "reason"> & Pick<Gap, "reason">,
  rule: DropRule,
): Omit<Gap, "level"> {
  const { skipped = 0, ...known } = (block && rowsIn(block, rule)) ?? {};
  const seqs = { first: firstSeq, last: firstSeq + count - 1 };
  const gap = { table, reason, ...known, rows: count + skipped, seqs };
  return inherited ? { ...gap, run: run.toString() } : gap;
}
