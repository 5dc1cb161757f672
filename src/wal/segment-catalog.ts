import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName, segmentNumber } from "./format.js";
import { readFrom } from "./read-from.js";
import type { RecordPlace, SegmentSummary } from "./recovered.js";
import { type FrameEntry, type OnHole, SegmentFrames } from "./segment-frames.js";

/** What is known of a segment without its frames. */
interface Bounds {
  /** No record has a lower ordinal. */
  first: number;
  /** None has a higher one; undefined while that is not known. */
  last: number | undefined;
  /** When copies may have been added last, whose ordinals are lower than those before; 0: never. */
  copiedAt: number;
}

/** Frames of one table in one segment that come next: `frames[from]` to `frames[to - 1]`. */
export interface FrameRun {
  readonly segment: SegmentFrames;
  readonly frames: readonly FrameEntry[];
  readonly from: number;
  readonly to: number;
}

/** Frames whose places are kept in memory, about 30 MB of them; those of the segment in use always are. */
const FRAMES_MAX = 100_000;

/** The segments of a log in use, and which of them has the frame of a table that comes after a given one. */
export class SegmentCatalog {
  readonly #dir: string;
  readonly #logId: bigint;
  readonly #onHole: OnHole;
  /** By number, ascending. */
  #bounds: ReadonlyMap<number, Bounds>;
  /** Copies that were told of: the lowest ordinal of one and when that was, by segment. */
  readonly #copies = new Map<number, { first: number; copiedAt: number }>();
  /** While copies are being made: the newest segment known when that began. */
  #movingFrom = Number.POSITIVE_INFINITY;
  /** Counts up with each news of copies. */
  #now = 0;
  /** Least recently used first. */
  readonly #cache = new Map<number, SegmentFrames>();
  /** One look at a time. */
  #refreshing: Promise<void> = Promise.resolve();

  constructor(dir: string, logId: bigint, recovered: readonly SegmentSummary[], onHole: OnHole) {
    this.#onHole = onHole;
    this.#dir = dir;
    this.#logId = logId;
    this.#bounds = new Map(
      recovered.map(({ segment, firstOrdinal, lastOrdinal }) => [
        segment,
        { first: firstOrdinal, last: lastOrdinal, copiedAt: 0 },
      ]),
    );
  }

  /** Looks which segments there are by now. @throws the system's error */
  async refresh(): Promise<void> {
    const refreshing = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = refreshing.catch(() => {});
    await refreshing;
  }

  /**
   * A listed segment may go before it is looked at, or while others are listed: its copies are in one that is not in the list then, or that
   * seems to have none. So a list counts if it is still the same once its segments were looked at.
   */
  async #refresh(): Promise<void> {
    const bounds = new Map(this.#bounds);
    let numbers = [...bounds.keys()];
    for (;;) {
      const listed = await this.#list();
      if (String(listed) === String(numbers)) break;
      numbers = listed;
      for (const segment of numbers) {
        const found = bounds.get(segment) ?? (await this.#look(segment));
        if (found !== undefined) bounds.set(segment, found);
      }
    }
    const there = new Set(numbers);
    this.#take(new Map([...bounds].filter(([segment]) => there.has(segment)).sort(([a], [b]) => a - b)));
  }

  /** Numbers of the segments that are there, ascending. */
  async #list(): Promise<number[]> {
    const numbers = (await readdir(this.#dir)).flatMap((name) => segmentNumber(name) ?? []);
    return numbers.sort((a, b) => a - b);
  }

  /** These are the segments by now. */
  #take(bounds: ReadonlyMap<number, Bounds>): void {
    const newest = this.#newest;
    const from = Math.min(newest, this.#movingFrom);
    const lowest = this.#lowestCopied(bounds, newest);
    this.#bounds = bounds;
    this.#now += 1;
    // Copies of what was needed of a removed segment went to those that were written to meanwhile.
    if (lowest !== Number.POSITIVE_INFINITY)
      for (const [segment, each] of bounds)
        if (segment >= from) this.#addCopies(segment, each, lowest, this.#now);
    this.#boundCopies();
    for (const segment of this.#cache.keys()) if (!bounds.has(segment)) this.#cache.delete(segment);
  }

  /** Copies are about to be made, in segments that are written to until {@link moved} tells of them. */
  moving(): void {
    this.#movingFrom = Math.min(this.#movingFrom, this.#newest);
  }

  /**
   * Copies of records were made at these places. That their segment has gone tells as much, but it may go later than others are begun, if the
   * disk does not let it go at once.
   */
  moved(places: readonly RecordPlace[]): void {
    this.#movingFrom = Number.POSITIVE_INFINITY;
    this.#now += 1;
    for (const { ordinal, place } of places) {
      const first = Math.min(this.#copies.get(place.segment)?.first ?? ordinal, ordinal);
      this.#copies.set(place.segment, { first, copiedAt: this.#now });
    }
    this.#boundCopies();
  }

  get #newest(): number {
    return Math.max(0, ...this.#bounds.keys());
  }

  #boundCopies(): void {
    const newest = this.#newest;
    for (const [segment, { first, copiedAt }] of this.#copies) {
      const bounds = this.#bounds.get(segment);
      if (bounds !== undefined) this.#addCopies(segment, bounds, first, copiedAt);
      else if (segment < newest) this.#copies.delete(segment);
    }
  }

  #addCopies(segment: number, bounds: Bounds, first: number, copiedAt: number): void {
    bounds.first = Math.min(bounds.first, first);
    bounds.copiedAt = Math.max(bounds.copiedAt, copiedAt);
    this.#cache.get(segment)?.copied(bounds.copiedAt);
  }

  /** No copy that was made since the last look has a lower ordinal; infinite if there is none. */
  #lowestCopied(there: ReadonlyMap<number, Bounds>, newest: number): number {
    const gone = [...this.#bounds].filter(([segment]) => !there.has(segment));
    const after = [...there.keys()].filter((segment) => segment > newest);
    // A number that is missing was perhaps a segment that came and went unseen.
    const isGap = after.length > 0 && Math.max(...after) - newest !== after.length;
    return isGap ? 0 : Math.min(...gone.map(([, { first }]) => first));
  }

  /**
   * The frames of a table that come next behind an ordinal, up to another; undefined if there are none.
   * @throws the system's error
   */
  async next(table: string, after: number, upTo: number): Promise<FrameRun | undefined> {
    for (;;) {
      let best: number | undefined;
      let first = Number.POSITIVE_INFINITY;
      let limit = Number.POSITIVE_INFINITY;
      for (const [segment, bounds] of this.#bounds) {
        const own = this.#firstOf(segment, bounds, table, after, upTo);
        if (own < first) [best, first, limit] = [segment, own, first];
        else limit = Math.min(limit, own);
      }
      if (best === undefined || first > upTo) return undefined;
      const segment = await this.#loaded(best, upTo);
      if (segment === undefined) continue;
      const frames = segment.of(table);
      const from = indexAfter(frames, after);
      // Copies may have an ordinal that is in two segments: then the first segment's counts.
      const to = indexAfter(frames, Math.min(upTo, Math.max(limit - 1, first)));
      if (to > from) return { segment, frames, from, to };
    }
  }

  /** The other records of this ordinal: copies, or the original of a copy. */
  async othersOf({ ordinal, place, record }: FrameEntry): Promise<FrameRun[]> {
    const others: FrameRun[] = [];
    for (const [number, { first, last = ordinal }] of [...this.#bounds]) {
      if (number === place.segment || first > ordinal || last < ordinal) continue;
      const segment = await this.#loaded(number, ordinal);
      const frames = segment?.of(record.table) ?? [];
      const from = indexAfter(frames, ordinal - 1);
      if (segment !== undefined && frames[from]?.ordinal === ordinal)
        others.push({ segment, frames, from, to: from + 1 });
    }
    return others;
  }

  /** A lower bound of the ordinal of the table's next frame there; infinite if there is none. */
  #firstOf(segment: number, bounds: Bounds, table: string, after: number, upTo: number): number {
    if (bounds.last !== undefined && bounds.last <= after) return Number.POSITIVE_INFINITY;
    const cached = this.#cache.get(segment);
    if (cached === undefined || !cached.has(upTo)) return Math.max(bounds.first, after + 1);
    const frames = cached.of(table);
    return frames[indexAfter(frames, after)]?.ordinal ?? Number.POSITIVE_INFINITY;
  }

  /** The frames of a segment up to this ordinal; undefined if the segment is gone. */
  async #loaded(number: number, upTo: number): Promise<SegmentFrames | undefined> {
    const bounds = this.#bounds.get(number);
    if (bounds === undefined) return undefined;
    const segment =
      this.#cache.get(number) ?? new SegmentFrames(this.#dir, number, this.#logId, this.#onHole);
    this.#cache.delete(number);
    this.#cache.set(number, segment);
    segment.copied(bounds.copiedAt);
    const isLast = number === [...this.#bounds.keys()].at(-1);
    try {
      await segment.load(upTo, isLast);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await this.refresh();
      return undefined;
    }
    if (segment.isComplete) Object.assign(this.#bounds.get(number) ?? bounds, segment.ordinals);
    this.#evict();
    return segment;
  }

  /** All but the one used last. */
  #evict(): void {
    let frames = [...this.#cache.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [number, { size }] of this.#cache) {
      if (frames <= FRAMES_MAX || this.#cache.size === 1) return;
      this.#cache.delete(number);
      frames -= size;
    }
  }

  /** What a segment says of itself; undefined if it is gone, or not begun. */
  async #look(segment: number): Promise<Bounds | undefined> {
    try {
      const file = await open(join(this.#dir, segmentName(segment)), "r");
      try {
        const header = decodeSegmentHeader(await readFrom(file, 0, SEGMENT_HEADER_BYTES));
        return header && { first: header.nextOrdinal, last: undefined, copiedAt: 0 };
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return undefined;
    }
  }
}

/** The place of the first frame with a higher ordinal. */
function indexAfter(frames: readonly FrameEntry[], ordinal: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (frames[middle]!.ordinal <= ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}
