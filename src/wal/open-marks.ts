import type { SeqSpan } from "../buffer/batch.js";
import { type CarryRule, numberOf } from "./carry-rule.js";
import type { IndexEntry, LogRecord } from "./records.js";
import type { Committed, RecordPlace } from "./recovered.js";

/** Whether the fate of all these rows is known. */
export type IsKnown = (table: string, run: bigint, rows: readonly SeqSpan[]) => boolean;

interface SealedBatch {
  readonly table: string;
  readonly run: bigint;
  readonly number: number;
  readonly frames: readonly SeqSpan[];
  /** Segments that have a seal, split or skip of it. */
  readonly segments: Set<number>;
}

/** The ends of groups that a segment has. */
interface Ends {
  /** The highest ordinal of one. */
  readonly last: number;
  /** Whether an earlier start logged some: their frames may be in another segment, as a sync that failed may have left them there. */
  readonly areOld: boolean;
}

/** Of which ends of groups something is needed beside that of the rows that stay. */
export interface EndsNeeded {
  /** The answers of those up to this ordinal are kept elsewhere. */
  readonly answeredUpTo: number;
  /** Whether rows of earlier starts may have an unknown fate. */
  readonly isOld: boolean;
}

/** Which seals, splits, skips and group ends of the log are needed yet, and in which segments they are. */
export class OpenMarks {
  readonly #isKnown: IsKnown;
  readonly #batches = new Map<string, SealedBatch>();
  /** By segment. A group is written into one segment, and stays together when it moves. */
  readonly #ends = new Map<number, Ends>();

  constructor(recovered: readonly IndexEntry[], isKnown: IsKnown) {
    this.#isKnown = isKnown;
    for (const { record, place, ordinal } of recovered)
      if (record.kind === "group_end") this.#end(place.segment, { last: ordinal, areOld: true });
      else if (record.kind !== "rows") this.#mark(record, place.segment);
  }

  /** Records are in the log, at these places. */
  committed(records: readonly LogRecord[], { places }: Committed): void {
    for (const [index, record] of records.entries()) {
      const { ordinal, place } = places[index]!;
      if (record.kind === "group_end") this.#end(place.segment, { last: ordinal, areOld: false });
      else if (record.kind !== "rows") this.#mark(record, place.segment);
    }
  }

  /** The rows of batches of which some have an unknown fate: a batch is only made again with all its frames. */
  heldRows(): { readonly table: string; readonly run: bigint; readonly span: SeqSpan }[] {
    this.#forgetKnown();
    return [...this.#batches.values()].flatMap(({ table, run, frames }) =>
      frames.map((span) => ({ table, run, span })),
    );
  }

  /** What of the segment's marks is needed. */
  neededIn(segment: number, { answeredUpTo, isOld }: EndsNeeded): Pick<CarryRule, "batches" | "endsAbove"> {
    this.#forgetKnown();
    const { last, areOld } = this.#ends.get(segment) ?? { last: 0, areOld: false };
    const endsAbove = areOld && isOld ? 0 : answeredUpTo;
    return {
      batches: [...this.#batches.values()]
        .filter(({ segments }) => segments.has(segment))
        .map(({ table, run, number }) => ({ table, run, number })),
      endsAbove: last > endsAbove ? endsAbove : Number.POSITIVE_INFINITY,
    };
  }

  /** The segment is gone; copies of what was needed are at these places. */
  removed(segment: number, places: readonly RecordPlace[] = []): void {
    const now = new Set(places.map(({ place }) => place.segment));
    for (const [key, { segments }] of this.#batches)
      if (!moved(segments, segment, now)) this.#batches.delete(key);
    const ends = this.#ends.get(segment);
    this.#ends.delete(segment);
    if (ends !== undefined) for (const other of now) this.#end(other, ends);
  }

  #mark(record: Exclude<LogRecord, { kind: "rows" | "group_end" }>, segment: number): void {
    const { table, run } = record;
    const number = numberOf(record.kind === "split" ? record.parent : record.batch);
    const key = `${run}/${number}/${table}`;
    let batch = this.#batches.get(key);
    // Only the seal of the whole says which rows it has.
    if (batch === undefined && record.kind === "seal" && record.batch === String(number)) {
      batch = { table, run, number, frames: record.frames, segments: new Set() };
      this.#batches.set(key, batch);
    }
    batch?.segments.add(segment);
  }

  #end(segment: number, { last, areOld }: Ends): void {
    const ends = this.#ends.get(segment) ?? { last: 0, areOld: false };
    this.#ends.set(segment, { last: Math.max(ends.last, last), areOld: ends.areOld || areOld });
  }

  #forgetKnown(): void {
    for (const [key, { table, run, frames }] of this.#batches)
      if (this.#isKnown(table, run, frames)) this.#batches.delete(key);
  }
}

/** Takes a segment out of a set and others in, if it was in; gives whether any is left. */
function moved(segments: Set<number>, from: number, to: ReadonlySet<number>): boolean {
  if (segments.delete(from)) for (const segment of to) segments.add(segment);
  return segments.size > 0;
}
