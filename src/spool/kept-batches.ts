import type { KeptBatch, SpooledBatch, SpoolPlace } from "./spooled-batch.js";

/** Which batches are read back first. */
export type SpoolOrder = "oldest_first" | "newest_first";

interface Segment {
  bytes: number;
  /** By ordinal, ascending. */
  readonly batches: Map<number, KeptBatch>;
}

/** The batches of one table that are on disk, and the segments that hold them: space is given free by segments. */
export class KeptBatches {
  /** By number, ascending. */
  readonly #segments = new Map<number, Segment>();
  readonly #waiting = new Map<number, KeptBatch>();
  #rows = 0;

  /** Of all segments. */
  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#segments.values()) bytes += segment.bytes;
    return bytes;
  }

  get batches(): number {
    return this.#waiting.size;
  }

  get rows(): number {
    return this.#rows;
  }

  get all(): Iterable<KeptBatch> {
    return this.#waiting.values();
  }

  /** Their numbers, ascending. */
  get segments(): readonly number[] {
    return [...this.#segments.keys()];
  }

  /** A segment has so many bytes more. */
  grew(segment: number, bytes: number): void {
    this.#segmentOf(segment).bytes += bytes;
  }

  add(batch: SpooledBatch, place: SpoolPlace): void {
    const kept = { batch, place };
    this.#segmentOf(place.segment).batches.set(place.ordinal, kept);
    this.#waiting.set(place.ordinal, kept);
    this.#rows += batch.count;
  }

  has({ place }: KeptBatch): boolean {
    return this.#waiting.has(place.ordinal);
  }

  /** The next to be read back, of those that may be now. */
  next(order: SpoolOrder, mayBe: (kept: KeptBatch) => boolean): KeptBatch | undefined {
    const all = [...this.#waiting.values()].filter(mayBe);
    return order === "oldest_first" ? all[0] : all.at(-1);
  }

  /** Nothing is needed of the batch any more. */
  remove({ batch, place }: KeptBatch): void {
    if (!this.#waiting.delete(place.ordinal)) return;
    this.#rows -= batch.count;
    this.#segments.get(place.segment)?.batches.delete(place.ordinal);
  }

  /** What is kept in a segment, oldest first. */
  in(segment: number): readonly KeptBatch[] {
    return [...(this.#segments.get(segment)?.batches.values() ?? [])];
  }

  /** The segment is gone, with all that is in it. */
  forget(segment: number): void {
    for (const kept of this.in(segment)) this.remove(kept);
    this.#segments.delete(segment);
  }

  #segmentOf(number: number): Segment {
    let segment = this.#segments.get(number);
    if (segment === undefined) {
      segment = { bytes: 0, batches: new Map() };
      this.#segments.set(number, segment);
    }
    return segment;
  }
}
