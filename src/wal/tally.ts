import { FLAG } from "./format.js";
import type { IndexEntry } from "./records.js";
import type { SegmentTable } from "./recovered.js";
import { getOrMake, RowSets } from "./row-sets.js";
import type { LoggedEntry, Summary } from "./segment-index.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

/** What of one segment counts. */
export interface Counted {
  readonly tables: readonly SegmentTable[];
  readonly dropped: readonly SeqRange[];
}

/**
 * Decides which records of a log count: the first of any ordinal and of any (table, run, seq), and frames of a group only
 * with the end of their group. Fed with all segments twice, in order: first `meet`, then `count`.
 */
export class Tally {
  readonly marks: IndexEntry[] = [];
  readonly positions = new Map<bigint, Map<string, bigint>>();
  readonly #ordinals = new SeqSet();
  readonly #seqs = new RowSets();
  readonly #ended = new Set<bigint>();

  meet({ special }: Summary): void {
    for (const { entry } of special)
      if (entry.record.kind === "group_end") this.#ended.add(entry.record.group);
  }

  /** `entries` gives all records of the segment, for the rare case that a summary is not enough. */
  count(summary: Summary, entries: () => readonly LoggedEntry[]): Counted {
    const segment = new SegmentTally();
    const take = (entry: IndexEntry, ordinalKnown: boolean): void => {
      if (this.#take(entry, ordinalKnown, segment)) segment.taken.add(entry.ordinal);
      // Another copy in the same segment has nothing to say: readers find the first.
      else if (!segment.taken.has(entry.ordinal)) segment.drop(entry.ordinal);
    };
    if (this.#isNew(summary)) {
      for (const { first, last } of summary.ordinals.ranges) this.#ordinals.add(first, last);
      for (const { table, run, rows, seqs } of summary.tables) segment.add(table, run, rows, seqs.ranges);
      for (const { table, run, seqs } of summary.tables) {
        for (const { first, last } of seqs.ranges) this.#seqsOf(table, run).add(first, last);
      }
      for (const { producer, table, position } of summary.positions) this.#raise(producer, table, position);
      for (const logged of summary.special) {
        const isCopy = (logged.head.flags & FLAG.copy) !== 0;
        const isBehindOriginal = isCopy && summary.ordinals.has(logged.entry.ordinal);
        if (!isBehindOriginal) take(logged.entry, !isCopy);
      }
    } else {
      for (const { entry } of entries()) take(entry, false);
    }
    return segment;
  }

  /** `ordinalKnown`: the ordinal was taken with its range, so being known says nothing. */
  #take(entry: IndexEntry, ordinalKnown: boolean, segment: SegmentTally): boolean {
    const { ordinal, record } = entry;
    if (!ordinalKnown && this.#ordinals.has(ordinal)) return false;
    if (record.kind === "group_end" && !this.#ended.has(record.group)) return false;
    if (record.kind !== "rows") {
      this.marks.push(entry);
    } else {
      const { table, run, firstSeq, count } = record;
      if (record.group !== 0n && !this.#ended.has(record.group)) return false;
      const range = { first: firstSeq, last: firstSeq + count - 1 };
      const seqs = this.#seqsOf(table, run);
      if (seqs.covers(range.first, range.last)) return false;
      seqs.add(range.first, range.last);
      segment.add(table, run, count, [range]);
      for (const { producer, position } of record.positions) this.#raise(producer, table, position);
    }
    this.#ordinals.add(ordinal, ordinal);
    return true;
  }

  /** Whether no record of the segment can have been counted before, copies apart. */
  #isNew({ ordinals, tables }: Summary): boolean {
    return (
      ordinals.ranges.every((range) => isApart(this.#ordinals, range)) &&
      tables.every(({ table, run, seqs }) =>
        seqs.ranges.every((range) => isApart(this.#seqsOf(table, run), range)),
      )
    );
  }

  #seqsOf(table: string, run: bigint): SeqSet {
    return this.#seqs.of(table, run).seqs;
  }

  #raise(producer: bigint, table: string, position: bigint): void {
    const tables = getOrMake(this.positions, producer, () => new Map<string, bigint>());
    const highest = tables.get(table);
    if (highest === undefined || position > highest) tables.set(table, position);
  }
}

class SegmentTally implements Counted {
  readonly #tables = new RowSets();
  readonly #dropped = new SeqSet();
  /** Ordinals that were taken one by one. */
  readonly taken = new Set<number>();

  get tables(): readonly SegmentTable[] {
    return this.#tables.all.map(({ seqs, ...known }) => ({ ...known, ranges: seqs.ranges }));
  }

  get dropped(): readonly SeqRange[] {
    return this.#dropped.ranges;
  }

  add(table: string, run: bigint, rows: number, ranges: readonly SeqRange[]): void {
    const known = this.#tables.of(table, run);
    known.rows += rows;
    for (const { first, last } of ranges) known.seqs.add(first, last);
  }

  drop(ordinal: number): void {
    this.#dropped.add(ordinal, ordinal);
  }
}

function isApart(set: SeqSet, { first, last }: SeqRange): boolean {
  const missing = set.missingIn(first, last);
  return missing.length === 1 && missing[0]!.first === first && missing[0]!.last === last;
}
