import { existsSync } from "node:fs";
import { ColdpathError } from "../base/errors.js";
import { CursorFile } from "./cursor-file.js";
import { readOnlyDisk } from "./read-only-disk.js";
import type { IndexEntry, RowsRecord } from "./records.js";
import { recoverSegments } from "./recover.js";
import type { Cursor, Damage, SegmentSummary } from "./recovered.js";
import { SeqSet } from "./seq-set.js";

/** A segment and how many of its rows are pending. */
export interface SurveyedSegment extends SegmentSummary {
  readonly pending: number;
}

/** Rows of one run of a table in the log. */
export interface SurveyedTable {
  readonly table: string;
  readonly run: bigint;
  readonly rows: number;
  /** Neither known to be stored nor given up. */
  readonly pending: number;
}

/** What is in the folder of a log, by its cursor. */
export interface Survey {
  readonly logId: bigint | undefined;
  readonly segments: readonly SurveyedSegment[];
  readonly tables: readonly SurveyedTable[];
  /** Undefined if there is none, or it is another log's. */
  readonly cursor: Cursor | undefined;
  /** Seals, splits, skips and group ends. */
  readonly marks: readonly IndexEntry[];
  readonly damage: readonly Damage[];
  /** What a crash, or a recorder at work, left unfinished at the end. */
  readonly torn: readonly Damage[];
}

/** A running recorder removes segments meanwhile. */
const TRIES = 5;

/**
 * Looks at a log without changing it or keeping anybody out. Beside a running recorder it is what the files say at the moment.
 * @throws ColdpathError WAL_ABSENT, WAL_NEWER; LogDiskError
 */
export function surveyLog(dir: string): Survey {
  for (let left = TRIES; ; left -= 1) {
    try {
      return survey(dir);
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (isGone && !existsSync(dir)) throw absent(dir);
      if (!isGone || left === 0) throw error;
    }
  }
}

function absent(dir: string): ColdpathError {
  return new ColdpathError("WAL_ABSENT", `there is no log in ${dir}: name its folder with --dir`);
}

function survey(dir: string): Survey {
  const saved = new CursorFile(readOnlyDisk, dir).load();
  const found = recoverSegments(readOnlyDisk, dir, saved?.logId, Date.now());
  if (saved === undefined && found.nextSegment === 1) throw absent(dir);
  const logId = found.logId ?? saved?.logId;
  return surveyOf({ ...found, logId, cursor: saved?.logId === logId ? saved : undefined });
}

/** What recovery found, with the rows counted that are pending. */
export function surveyOf(
  found: Pick<Survey, "logId" | "cursor" | "marks" | "damage" | "torn"> & {
    readonly segments: readonly SegmentSummary[];
  },
): Survey {
  const { logId, cursor, marks, damage, torn } = found;
  const known = knownRows(cursor, marks);
  const segments = found.segments.map((segment) => ({ ...segment, pending: pendingIn(segment, known) }));
  return { logId, segments, tables: tablesOf(segments, known), cursor, marks, damage, torn };
}

/** How many rows of a frame are pending. */
export function pendingOf({ cursor, marks }: Survey, frame: Omit<RowsRecord, "payload">): number {
  const { table, run, firstSeq, count } = frame;
  return unknownIn(knownRows(cursor, marks).get(keyOf(table, run)), firstSeq, firstSeq + count - 1);
}

/** Says of a row if it is in the log and its fate is not known: then a recorder may be sending it, or will. */
export function pendingRows({ segments, cursor, marks }: Survey): (row: LoggedRow) => boolean {
  const known = knownRows(cursor, marks);
  const pending = new Map<string, SeqSet>();
  for (const { table, run, ranges } of segments.flatMap((segment) => segment.tables)) {
    const key = keyOf(table, run);
    const seqs = pending.get(key) ?? new SeqSet();
    pending.set(key, seqs);
    for (const { first, last } of ranges)
      for (const range of known.get(key)?.missingIn(first, last) ?? [{ first, last }])
        seqs.add(range.first, range.last);
  }
  return ({ table, run, seq }) => pending.get(keyOf(table, run))?.has(seq) === true;
}

/** A row as the log numbers it. */
export interface LoggedRow {
  readonly table: string;
  readonly run: bigint;
  readonly seq: number;
}

/** Rows whose fate is known, by run and table. */
type KnownRows = ReadonlyMap<string, SeqSet>;

function knownRows(cursor: Cursor | undefined, marks: readonly IndexEntry[]): KnownRows {
  const known = new Map<string, SeqSet>();
  const add = (table: string, run: bigint, first: number, last: number): void => {
    const seqs = known.get(keyOf(table, run)) ?? new SeqSet();
    known.set(keyOf(table, run), seqs);
    seqs.add(first, last);
  };
  for (const { table, run, stored, skipped } of cursor?.tables ?? [])
    for (const { first, last } of [...stored, ...skipped]) add(table, run, first, last);
  for (const { record } of marks)
    if (record.kind === "skip")
      add(record.table, record.run, record.firstSeq, record.firstSeq + record.count - 1);
  return known;
}

function pendingIn({ tables }: SegmentSummary, known: KnownRows): number {
  let pending = 0;
  for (const { table, run, ranges } of tables)
    for (const { first, last } of ranges) pending += unknownIn(known.get(keyOf(table, run)), first, last);
  return pending;
}

function unknownIn(known: SeqSet | undefined, first: number, last: number): number {
  const missing = known?.missingIn(first, last) ?? [{ first, last }];
  return missing.reduce((sum, range) => sum + range.last - range.first + 1, 0);
}

function tablesOf(segments: readonly SurveyedSegment[], known: KnownRows): SurveyedTable[] {
  const tables = new Map<string, { table: string; run: bigint; rows: number; pending: number }>();
  for (const { table, run, rows, ranges } of segments.flatMap((segment) => segment.tables)) {
    const sum = tables.get(keyOf(table, run)) ?? { table, run, rows: 0, pending: 0 };
    tables.set(keyOf(table, run), sum);
    sum.rows += rows;
    for (const { first, last } of ranges) sum.pending += unknownIn(known.get(keyOf(table, run)), first, last);
  }
  return [...tables.values()].sort((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : 0));
}

function keyOf(table: string, run: bigint): string {
  return `${run} ${table}`;
}
