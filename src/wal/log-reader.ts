import { MIB } from "../base/units.js";
import { readPayloads } from "./frame-payloads.js";
import type { Damage, RecordPlace, SegmentSummary } from "./recovered.js";
import { type FrameRun, SegmentCatalog } from "./segment-catalog.js";
import type { FrameEntry, SegmentFrames } from "./segment-frames.js";
import { SeqSet } from "./seq-set.js";

/** A frame that was read back. */
export interface ReadFrame {
  readonly entry: FrameEntry;
  /** One Native block; undefined if the frame is damaged, which was reported. */
  readonly payload: Uint8Array | undefined;
}

export interface ReadRequest {
  readonly table: string;
  /** Frames behind this ordinal are wanted … */
  readonly after: number;
  /** … up to this one, to which the log is synced. */
  readonly upTo: number;
  /** Bytes of frames that are enough; one frame is given whatever its size. */
  readonly maxBytes: number;
  /** False for a frame that is not needed, as its rows' fate is known, or that does not count. */
  readonly wanted: (entry: FrameEntry) => boolean;
}

export interface ReadResult {
  /** In the order of their ordinals. */
  readonly frames: readonly ReadFrame[];
  /** No wanted frame of the table up to here was left out: where to go on. */
  readonly lastOrdinal: number;
}

export interface LogReaderOptions {
  readonly dir: string;
  readonly logId: bigint;
  /** What recovery found. */
  readonly segments: readonly SegmentSummary[];
  /** Told once of each frame that cannot be read, and of bytes between frames that are no record. */
  readonly report: (damage: Damage) => void;
}

/** Rows of an answer, whatever their bytes; a single frame may have more. */
const ROWS_MAX = 65_536;
const BYTES_MAX: number = 4 * MIB;

/**
 * Reads frames of one table at a time back from a log in use, in the order they were logged, in bounded pieces and
 * without blocking the thread. Frames that recovery found not to count are left out.
 */
export class LogReader {
  readonly #logId: bigint;
  readonly #report: (damage: Damage) => void;
  readonly #catalog: SegmentCatalog;
  /** Ordinals of records that do not count, by segment. */
  readonly #dropped: ReadonlyMap<number, SeqSet>;
  /** Places told as damaged. */
  readonly #told = new Set<string>();

  constructor({ dir, logId, segments, report }: LogReaderOptions) {
    this.#logId = logId;
    this.#report = report;
    this.#catalog = new SegmentCatalog(dir, logId, segments, (segment, offset, bytes) =>
      this.tell({ segment, offset, bytes, reason: "no record is legible here", record: undefined }),
    );
    this.#dropped = new Map(segments.map(({ segment, dropped }) => [segment, new SeqSet(dropped)]));
  }

  /**
   * The next wanted frames of a table; `lastOrdinal` reaches `upTo` when there are no more, a single answer may be short.
   * @throws the system's error, such as EMFILE or EIO; the same may be asked again
   */
  async next(request: ReadRequest): Promise<ReadResult> {
    const { table, after, upTo } = request;
    const answer = new Answer(Math.min(request.maxBytes, BYTES_MAX));
    await this.#catalog.refresh();
    let lastOrdinal = after;
    while (lastOrdinal < upTo && !answer.isFull) {
      const run = await this.#catalog.next(table, lastOrdinal, upTo);
      if (run === undefined) {
        lastOrdinal = upTo;
        break;
      }
      const { entries, last } = this.#choose(run, answer, request.wanted);
      const frames = await this.#read(run.segment, entries);
      if (frames === undefined) break;
      answer.frames.push(...frames);
      lastOrdinal = last ?? lastOrdinal;
    }
    return { frames: answer.frames, lastOrdinal };
  }

  /** Copies of records are about to be made, which {@link moved} will tell of. */
  moving(): void {
    this.#catalog.moving();
  }

  /** Copies of records were made at these places. */
  moved(places: readonly RecordPlace[]): void {
    this.#catalog.moved(places);
  }

  /** Reports a damaged place, once. */
  tell(damage: Damage): void {
    const place = `${damage.segment} ${damage.offset}`;
    if (this.#told.has(place)) return;
    this.#told.add(place);
    this.#report(damage);
  }

  /** What of a run is wanted and has room, and the last ordinal that was dealt with. */
  #choose(
    { segment, frames, from, to }: FrameRun,
    answer: Answer,
    wanted: (entry: FrameEntry) => boolean,
  ): { entries: FrameEntry[]; last: number | undefined } {
    const dropped = this.#dropped.get(segment.segment);
    const entries: FrameEntry[] = [];
    let last: number | undefined;
    for (let index = from; index < to; index += 1) {
      const entry = frames[index]!;
      const isWanted = dropped?.has(entry.ordinal) !== true && wanted(entry);
      if (isWanted && !answer.takes(entry)) break;
      if (isWanted) entries.push(entry);
      last = entry.ordinal;
    }
    return { entries, last };
  }

  /** Undefined if the segment was removed meanwhile: its frames are done with, or copied to another. */
  async #read(segment: SegmentFrames, entries: readonly FrameEntry[]): Promise<ReadFrame[] | undefined> {
    if (entries.length === 0) return [];
    const payloads = await this.#payloads(segment, entries);
    if (payloads === undefined) return undefined;
    const frames: ReadFrame[] = [];
    for (const [index, entry] of entries.entries()) {
      const payload = payloads[index] ?? (await this.#copyOf(entry));
      if (payload === undefined) this.#tellFrame(entry);
      frames.push({ entry, payload });
    }
    return frames;
  }

  async #payloads(
    { path }: SegmentFrames,
    entries: readonly FrameEntry[],
  ): Promise<(Uint8Array | undefined)[] | undefined> {
    try {
      return await readPayloads(path, this.#logId, entries);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await this.#catalog.refresh();
      return undefined;
    }
  }

  /** A damaged frame may be in the log a second time: written again after a sync that failed. */
  async #copyOf(entry: FrameEntry): Promise<Uint8Array | undefined> {
    for (const { segment, frames, from, to } of await this.#catalog.othersOf(entry)) {
      const payload = (await this.#payloads(segment, frames.slice(from, to)))?.[0];
      if (payload !== undefined) return payload;
    }
    return undefined;
  }

  #tellFrame(entry: FrameEntry): void {
    const { segment, offset, length: bytes } = entry.place;
    this.tell({ segment, offset, bytes, reason: "the frame cannot be read", record: entry });
  }
}

/** Frames gathered for one answer, and how much more there is room for. */
class Answer {
  readonly frames: ReadFrame[] = [];
  readonly #maxBytes: number;
  #bytes = 0;
  #rows = 0;
  isFull = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts a frame in if there is room, or none yet. */
  takes({ place, record }: FrameEntry): boolean {
    const isFirst = this.#bytes === 0;
    const fits = this.#bytes + place.length <= this.#maxBytes && this.#rows + record.count <= ROWS_MAX;
    if (!isFirst && !fits) {
      this.isFull = true;
      return false;
    }
    this.#bytes += place.length;
    this.#rows += record.count;
    return true;
  }
}
