import { type CarryRule, isEmpty } from "./carry-rule.js";
import type { KeptRows, KeptSegment, KeptSegments } from "./kept-segments.js";
import type { Carried } from "./log.js";
import type { OpenMarks } from "./open-marks.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

export interface SegmentRemoverOptions {
  readonly segments: KeptSegments;
  readonly marks: OpenMarks;
  /** Those rows of a table whose fate is not known, in ascending order. */
  readonly unknown: (table: string, run: bigint, first: number, last: number) => readonly SeqRange[];
  /** The answers of group ends up to this ordinal are kept elsewhere. */
  readonly answeredUpTo: () => number;
  readonly unlink: (segment: number) => Promise<void>;
  /** Copies what is needed to the end of the log and removes the segment. */
  readonly carry: (segment: number, rule: CarryRule) => Promise<Carried>;
}

/** Takes segments out of the log, one at a time, and moves what is needed of them to its end. */
export class SegmentRemover {
  readonly #options: SegmentRemoverOptions;
  /** Rows of batches of which some have an unknown fate, by run and table. */
  readonly #held = new Map<string, SeqSet>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SegmentRemoverOptions) {
    this.#options = options;
  }

  /** Runs it while no segment is removed by anybody else. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }

  /** To be called before {@link neededOf} is asked of segments, one after the other. */
  look(): void {
    this.#held.clear();
    for (const { table, run, span } of this.#options.marks.heldRows()) {
      const key = `${run}/${table}`;
      const held = this.#held.get(key) ?? new SeqSet();
      this.#held.set(key, held);
      held.add(span.firstSeq, span.firstSeq + span.count - 1);
    }
  }

  /** Rows of the segment whose fate is not known, and those that go with them. */
  neededOf({ tables }: KeptSegment): CarryRule["rows"] {
    return tables.flatMap(({ table, run, rows }) => {
      const held = this.#held.get(`${run}/${table}`);
      const needed = new SeqSet();
      for (const { first, last } of rows.ranges) {
        const unknown = this.#options.unknown(table, run, first, last);
        for (const range of [...unknown, ...(held?.within(first, last) ?? [])])
          needed.add(range.first, range.last);
      }
      return needed.ranges.length === 0 ? [] : [{ table, run, ranges: needed.ranges }];
    });
  }

  /** Whether nothing of the segment is needed any more. */
  isDone(segment: KeptSegment): boolean {
    return isEmpty(this.#ruleOf(segment, this.neededOf(segment)));
  }

  /** Removes a segment; these rows of it are needed. To be called {@link alone}. */
  async remove(segment: KeptSegment, needed: CarryRule["rows"]): Promise<void> {
    const { segments, marks, unlink, carry } = this.#options;
    // Somebody else had a turn before.
    if (!segments.all.includes(segment)) return;
    const rule = this.#ruleOf(segment, needed);
    if (isEmpty(rule)) {
      await unlink(segment.segment);
      segments.removed(segment.segment);
      marks.removed(segment.segment);
      return;
    }
    const { places, lost } = await carry(segment.segment, rule);
    const rows = needed.map(({ table, run, ranges }) => ({ table, run, rows: new SeqSet(ranges) }));
    for (const { record } of lost) {
      if (record.kind !== "rows") continue;
      const { table, run, firstSeq, count } = record;
      const own = rows.find((each) => each.table === table && each.run === run);
      own?.rows.remove(firstSeq, firstSeq + count - 1);
    }
    segments.removed(segment.segment, rows, places);
    marks.removed(segment.segment, places);
  }

  #ruleOf({ segment }: KeptSegment, rows: CarryRule["rows"]): CarryRule {
    const { segments, marks, answeredUpTo } = this.#options;
    const ends = { answeredUpTo: answeredUpTo(), isOld: this.#isOpen(segments.earlier) };
    return { rows, ...marks.neededIn(segment, ends) };
  }

  #isOpen(tables: readonly KeptRows[]): boolean {
    return tables.some(({ table, run, rows }) =>
      rows.ranges.some(({ first, last }) => this.#options.unknown(table, run, first, last).length > 0),
    );
  }
}
