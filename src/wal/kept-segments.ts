import type { LogRecord } from "./records.js";
import type { Committed, RecordPlace, SegmentSummary } from "./recovered.js";
import { SeqSet } from "./seq-set.js";

/** The rows of one run of a table that a segment holds. */
export interface KeptRows {
  readonly table: string;
  readonly run: bigint;
  readonly rows: SeqSet;
}

/** A segment that is there. */
export interface KeptSegment {
  readonly segment: number;
  /** Milliseconds since 1970 when it was made, if an earlier start made it. */
  readonly createdAt: number | undefined;
  readonly tables: readonly KeptRows[];
}

class Segment implements KeptSegment {
  readonly segment: number;
  readonly createdAt: number | undefined;
  readonly #tables = new Map<string, KeptRows>();

  constructor(segment: number, createdAt: number | undefined) {
    this.segment = segment;
    this.createdAt = createdAt;
  }

  get tables(): KeptRows[] {
    return [...this.#tables.values()];
  }

  add(table: string, run: bigint, first: number, last: number): void {
    const key = `${run}/${table}`;
    let kept = this.#tables.get(key);
    if (kept === undefined) {
      kept = { table, run, rows: new SeqSet() };
      this.#tables.set(key, kept);
    }
    kept.rows.add(first, last);
  }
}

/** Which rows are in which segment of the log. */
export class KeptSegments {
  readonly #segments = new Map<number, Segment>();
  readonly #earlierRuns = new Set<bigint>();

  constructor(recovered: readonly SegmentSummary[]) {
    for (const { segment, createdAt, tables } of recovered) {
      const kept = new Segment(segment, createdAt);
      for (const { table, run, ranges } of tables) {
        this.#earlierRuns.add(run);
        for (const { first, last } of ranges) kept.add(table, run, first, last);
      }
      this.#segments.set(segment, kept);
    }
  }

  /** All of them, oldest first. */
  get all(): readonly KeptSegment[] {
    return [...this.#segments.values()].sort((one, other) => one.segment - other.segment);
  }

  /** Rows of earlier starts, wherever they are by now. */
  get earlier(): readonly KeptRows[] {
    return this.all.flatMap(({ tables }) => tables.filter(({ run }) => this.#earlierRuns.has(run)));
  }

  /** Those that are not written to any more. */
  get closed(): readonly KeptSegment[] {
    return this.all.slice(0, -1);
  }

  /** Records are in the log, the first under this ordinal, each of the others under the next. */
  committed(records: readonly LogRecord[], { places }: Committed): void {
    for (const [index, record] of records.entries()) {
      const segment = this.#at(places[index]!);
      if (record.kind !== "rows") continue;
      const { table, run, firstSeq, count } = record;
      segment.add(table, run, firstSeq, firstSeq + count - 1);
    }
  }

  /** A segment is gone; copies of these rows of it are in other segments, each of which counts as if it had all. */
  removed(segment: number, rows: readonly KeptRows[] = [], places: readonly RecordPlace[] = []): void {
    this.#segments.delete(segment);
    for (const place of places)
      for (const { table, run, rows: kept } of rows)
        for (const { first, last } of kept.ranges) this.#at(place).add(table, run, first, last);
  }

  #at({ place: { segment } }: RecordPlace): Segment {
    let kept = this.#segments.get(segment);
    if (kept === undefined) {
      kept = new Segment(segment, undefined);
      this.#segments.set(segment, kept);
    }
    return kept;
  }
}
