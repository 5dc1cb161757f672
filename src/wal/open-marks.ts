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

interface Group {
  /** Undefined for a group of an earlier start: which rows it had is not known. */
  readonly rows: { readonly table: string; readonly run: bigint; readonly span: SeqSpan }[] | undefined;
  ordinal: number;
  readonly segments: Set<number>;
}

/** Which seals, splits, skips and group ends of the log are needed yet, and in which segments they are. */
export class OpenMarks {
  readonly #isKnown: IsKnown;
  readonly #batches = new Map<string, SealedBatch>();
  readonly #groups = new Map<bigint, Group>();

  constructor(recovered: readonly IndexEntry[], isKnown: IsKnown) {
    this.#isKnown = isKnown;
    for (const { record, place, ordinal } of recovered)
      if (record.kind === "group_end")
        this.#groups.set(record.group, { rows: undefined, ordinal, segments: new Set([place.segment]) });
      else if (record.kind !== "rows") this.#mark(record, place.segment);
  }

  /** Records are in the log, at these places. */
  committed(records: readonly LogRecord[], { places }: Committed): void {
    for (const [index, record] of records.entries()) {
      const { ordinal, place } = places[index]!;
      if (record.kind === "group_end") {
        const group = this.#group(record.group);
        group.ordinal = ordinal;
        group.segments.add(place.segment);
      } else if (record.kind !== "rows") this.#mark(record, place.segment);
      else if (record.group !== 0n) {
        const { table, run, firstSeq, count } = record;
        this.#group(record.group).rows?.push({ table, run, span: { firstSeq, count } });
      }
    }
  }

  /** The rows of batches of which some have an unknown fate: a batch is only made again with all its frames. */
  heldRows(): { readonly table: string; readonly run: bigint; readonly span: SeqSpan }[] {
    this.#forgetKnown();
    return [...this.#batches.values()].flatMap(({ table, run, frames }) =>
      frames.map((span) => ({ table, run, span })),
    );
  }

  /**
   * What of the segment's marks is needed. `isAnswered` says of a group end, by its ordinal, if the answer is kept elsewhere, `isOld` if
   * rows of groups of earlier starts may have an unknown fate.
   */
  neededIn(
    segment: number,
    { isAnswered, isOld }: { isAnswered: (ordinal: number) => boolean; isOld: boolean },
  ): Pick<CarryRule, "batches" | "groups"> {
    this.#forgetKnown();
    return {
      batches: [...this.#batches.values()]
        .filter(({ segments }) => segments.has(segment))
        .map(({ table, run, number }) => ({ table, run, number })),
      groups: [...this.#groups]
        .filter(([, { segments }]) => segments.has(segment))
        .filter(
          ([, { rows, ordinal }]) => !isAnswered(ordinal) || (rows === undefined ? isOld : rows.length > 0),
        )
        .map(([group]) => group),
    };
  }

  /** The segment is gone; copies of what was needed are at these places. */
  removed(segment: number, places: readonly RecordPlace[] = []): void {
    const now = new Set(places.map(({ place }) => place.segment));
    for (const [key, { segments }] of this.#batches)
      if (!moved(segments, segment, now)) this.#batches.delete(key);
    for (const [key, { segments, ordinal }] of this.#groups)
      if (ordinal > 0 && !moved(segments, segment, now)) this.#groups.delete(key);
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

  #group(group: bigint): Group {
    let found = this.#groups.get(group);
    if (found === undefined) {
      found = { rows: [], ordinal: 0, segments: new Set() };
      this.#groups.set(group, found);
    }
    return found;
  }

  #forgetKnown(): void {
    for (const [key, { table, run, frames }] of this.#batches)
      if (this.#isKnown(table, run, frames)) this.#batches.delete(key);
    for (const { rows } of this.#groups.values())
      if (rows?.every(({ table, run, span }) => this.#isKnown(table, run, [span]))) rows.length = 0;
  }
}

/** Takes a segment out of a set and others in, if it was in; gives whether any is left. */
function moved(segments: Set<number>, from: number, to: ReadonlySet<number>): boolean {
  if (segments.delete(from)) for (const segment of to) segments.add(segment);
  return segments.size > 0;
}
