import { isEmpty } from "./carry-rule.js";
import { Ledger } from "./ledger.js";
import type { Log } from "./log.js";
import { OpenMarks } from "./open-marks.js";
import type { Recovered } from "./recovered.js";
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

/** Nothing of a checkpoint is forgotten while it is looked at. */
const LEDGER_LIMITS = { ttlMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, now: Date.now };

/**
 * Removes the segments of which nothing is needed any more, as the cursor says; with `force` all of them.
 * @throws LogDiskError; what was removed until then is gone
 */
export function purgeLog(log: Log, recovered: Recovered, force: boolean): Purge {
  const { segments, tables } = surveyOf(recovered);
  const isMarked = marksOf(
    recovered,
    tables.some(({ pending }) => pending > 0),
  );
  const isDone = ({ segment, pending }: SurveyedSegment): boolean => pending === 0 && !isMarked(segment);
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

/** Whether what a segment says of batches and groups is needed yet. What the cursor does not have is not known here. */
function marksOf({ marks, cursor, ledger }: Recovered, pending: boolean): (segment: number) => boolean {
  const known = new Map<string, SeqSet>();
  for (const { table, run, stored, skipped } of cursor?.tables ?? [])
    known.set(`${run} ${table}`, new SeqSet([...stored, ...skipped]));
  const open = new OpenMarks(marks, (table, run, spans) =>
    spans.every(({ firstSeq, count }) =>
      known.get(`${run} ${table}`)?.covers(firstSeq, firstSeq + count - 1),
    ),
  );
  const answeredUpTo = ledger === undefined ? 0 : Ledger.restore(ledger, LEDGER_LIMITS).coveredUpTo;
  return (segment) => {
    const rule = { rows: [], ...open.neededIn(segment, { answeredUpTo, isOld: pending }) };
    return !isEmpty(rule);
  };
}
