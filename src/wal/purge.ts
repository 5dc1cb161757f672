import { Ledger } from "./ledger.js";
import type { Log } from "./log.js";
import type { IndexEntry, SealRecord } from "./records.js";
import type { Cursor, Recovered } from "./recovered.js";
import { SeqSet } from "./seq-set.js";
import { type SurveyedSegment, type SurveyedTable, surveyOf } from "./survey.js";

/** What a purge removed, and what it left. */
export interface Purge {
  readonly removed: readonly PurgedSegment[];
  readonly kept: readonly PurgedSegment[];
  /** Rows of the kept segments, or with `force` of the removed ones, that are not known to be stored. */
  readonly pending: readonly Pick<SurveyedTable, "table" | "pending">[];
}

export interface PurgedSegment {
  readonly segment: number;
  readonly bytes: number;
  /** Rows of it that are not known to be stored. */
  readonly pending: number;
}

/**
 * Removes the segments of which nothing is needed any more, as the cursor says; with `force` all of them.
 * @throws LogDiskError; what was removed until then is gone
 */
export function purgeLog(log: Log, recovered: Recovered, force: boolean): Purge {
  const { segments, tables } = surveyOf(recovered);
  const settled = new SettledMarks(recovered);
  const isDone = (segment: SurveyedSegment): boolean =>
    segment.pending === 0 && settled.allIn(segment.segment);
  const removed = segments.filter((segment) => force || isDone(segment));
  for (const { segment } of removed) log.unlink(segment);
  const kept = segments.filter((segment) => !removed.includes(segment));
  return { removed: removed.map(short), kept: kept.map(short), pending: pendingByTable(tables) };
}

function short({ segment, bytes, pending }: SurveyedSegment): PurgedSegment {
  return { segment, bytes, pending };
}

function pendingByTable(tables: readonly SurveyedTable[]): Purge["pending"] {
  const rows = new Map<string, number>();
  for (const { table, pending } of tables) if (pending > 0) rows.set(table, (rows.get(table) ?? 0) + pending);
  return [...rows].map(([table, pending]) => ({ table, pending }));
}

/** Which marks are not needed any more. */
class SettledMarks {
  readonly #marks: readonly IndexEntry[];
  readonly #known = new Map<string, SeqSet>();
  readonly #answersUpTo: number;

  constructor({ marks, cursor, ledger }: Recovered) {
    this.#marks = marks;
    for (const { table, run, stored, skipped } of cursor?.tables ?? ([] as Cursor["tables"]))
      this.#known.set(`${run} ${table}`, new SeqSet([...stored, ...skipped]));
    const options = { ttlMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, now: Date.now };
    this.#answersUpTo = ledger === undefined ? 0 : Ledger.restore(ledger, options).coveredUpTo;
  }

  allIn(segment: number): boolean {
    return this.#marks.every((mark) => mark.place.segment !== segment || this.#isSettled(mark));
  }

  #isSettled({ ordinal, record }: IndexEntry): boolean {
    switch (record.kind) {
      case "seal":
        return this.#isBatchKnown(record);
      case "split":
        return this.#marks.every(
          ({ record: seal }) =>
            seal.kind !== "seal" ||
            seal.table !== record.table ||
            seal.run !== record.run ||
            seal.batch !== record.parent.split(".")[0] ||
            this.#isBatchKnown(seal),
        );
      case "skip":
        return this.#covers(record.table, record.run, record.firstSeq, record.count);
      case "group_end":
        return ordinal <= this.#answersUpTo;
      case "rows":
        return true;
    }
  }

  #isBatchKnown({ table, run, frames }: SealRecord): boolean {
    return frames.every(({ firstSeq, count }) => this.#covers(table, run, firstSeq, count));
  }

  #covers(table: string, run: bigint, firstSeq: number, count: number): boolean {
    return this.#known.get(`${run} ${table}`)?.covers(firstSeq, firstSeq + count - 1) === true;
  }
}
