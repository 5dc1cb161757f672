import { join } from "node:path";
import { ColdpathError } from "../base/errors.js";
import type { Row } from "../native/block.js";
import { segmentName } from "./format.js";
import { FrameRows } from "./frame-rows.js";
import { readOnlyDisk } from "./read-only-disk.js";
import type { IndexEntry } from "./records.js";
import { readIndex, readRecord } from "./segment-reader.js";
import type { SeqRange } from "./seq-set.js";
import { surveyLog } from "./survey.js";

/** Which records of a log; those that meet all that is said. */
export interface RecordFilter {
  readonly segment?: number | undefined;
  readonly table?: string | undefined;
  readonly run?: bigint | undefined;
  /** Frames that hold one of these rows, and skips of one. */
  readonly seqs?: SeqRange | undefined;
}

/** A record, with the rows of a frame if they were asked for, those alone that are named by number. */
export interface InspectedRecord {
  readonly entry: IndexEntry;
  readonly rows?: readonly Row[];
  /** Why the rows cannot be shown. */
  readonly unreadable?: string;
}

/**
 * The first `limit` records in the order of the log, and how many there are in all.
 * @throws as `surveyLog`; WAL_ABSENT if the log has no such segment
 */
export function inspectLog(
  dir: string,
  filter: RecordFilter,
  { limit, rows }: { readonly limit: number; readonly rows: boolean },
): { readonly records: readonly InspectedRecord[]; readonly total: number } {
  const { logId, segments } = surveyLog(dir);
  const numbers = segments.map(({ segment }) => segment);
  if (filter.segment !== undefined && !numbers.includes(filter.segment)) {
    const there = numbers.length === 0 ? "none" : `${numbers[0]} to ${numbers.at(-1)}`;
    throw new ColdpathError("WAL_ABSENT", `segment ${filter.segment} is not there; there are ${there}`);
  }
  const shown = new FrameRows();
  const records: InspectedRecord[] = [];
  let total = 0;
  for (const segment of numbers) {
    if (filter.segment !== undefined && filter.segment !== segment) continue;
    const path = join(dir, segmentName(segment));
    try {
      const found = readIndex(readOnlyDisk, path).filter((entry) => meets(entry, filter));
      for (const entry of found.slice(0, Math.max(0, limit - total)))
        records.push(rows ? withRows(path, entry, logId!, shown, filter.seqs) : { entry });
      total += found.length;
    } catch (error) {
      // A running recorder removes segments meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return { records, total };
}

function meets({ record }: IndexEntry, { table, run, seqs }: RecordFilter): boolean {
  if (table !== undefined && !("table" in record && record.table === table)) return false;
  if (run !== undefined && !("run" in record && record.run === run)) return false;
  if (seqs === undefined) return true;
  if (record.kind === "seal")
    return record.frames.some(({ firstSeq, count }) => overlaps(firstSeq, count, seqs));
  return "firstSeq" in record && overlaps(record.firstSeq, record.count, seqs);
}

function overlaps(firstSeq: number, count: number, seqs: SeqRange): boolean {
  return firstSeq <= seqs.last && firstSeq + count - 1 >= seqs.first;
}

/** A damaged frame is shown as one; the others are still of use. */
function withRows(
  path: string,
  entry: IndexEntry,
  logId: bigint,
  shown: FrameRows,
  seqs: SeqRange = { first: 0, last: Number.POSITIVE_INFINITY },
): InspectedRecord {
  if (entry.record.kind !== "rows") return { entry };
  const fd = readOnlyDisk.open(path, "read");
  try {
    const record = readRecord(readOnlyDisk, fd, entry.place, logId);
    if (record.kind !== "rows") return { entry };
    const { firstSeq, payload } = record;
    const isWanted = (_: Row, index: number): boolean => overlaps(firstSeq + index, 1, seqs);
    return { entry, rows: shown.of(payload).filter(isWanted) };
  } catch (error) {
    if (!(error instanceof ColdpathError)) throw error;
    return { entry, unreadable: error.message };
  } finally {
    readOnlyDisk.close(fd);
  }
}
