import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { MIB } from "../base/units.js";
import { readAbout } from "./about.js";
import {
  aligned,
  decodeFooter,
  decodeHead,
  FLAG,
  FOOTER_BYTES,
  type Footer,
  HEAD_BYTES,
  type Head,
  KIND,
  readHead,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  seedOf,
  segmentName,
} from "./format.js";
import { readFrom } from "./read-from.js";
import type { IndexEntry, RowsRecord } from "./records.js";
import { payloadHolds } from "./scan.js";

/** A frame without its payload. */
export interface FrameEntry extends IndexEntry {
  readonly record: Omit<RowsRecord, "payload">;
}

/** Told of bytes between records that are none, in a segment without an index. */
export type OnHole = (segment: number, offset: number, bytes: number) => void;

/** So much of a segment without an index is looked through at a time; fields of a record are never longer. */
const SCAN_BYTES: number = MIB;
/** Entries of an index decoded at a time. */
const SLICE_ENTRIES = 2000;

/**
 * Which frames of which tables a segment has, found without blocking the thread: from its index if it is closed, else by
 * looking through its records as far as they are synced. Payloads are not looked at.
 */
export class SegmentFrames {
  readonly segment: number;
  readonly path: string;
  readonly #seed: number;
  readonly #onHole: OnHole;
  readonly #byTable = new Map<string, FrameEntry[]>();
  /** The records up to here were looked through. */
  #scannedTo = SEGMENT_HEADER_BYTES;
  /** The last commit found begins here; those before it were synced. */
  #settledTo = SEGMENT_HEADER_BYTES;
  /** The last scan began here. */
  #scannedFrom = SEGMENT_HEADER_BYTES;
  /** Behind this byte no record was found, but others further on. */
  #doubted = 0;
  /** When copies were added last, whose ordinals are lower than those before. */
  #copiedAt = 0;
  /** Copies added at that time or before are known. */
  #copiesKnown = 0;
  /** The highest ordinal found. */
  #highest = 0;
  /** Looked for in vain: what is beyond it has to be written first. */
  #missed = 0;
  #isComplete = false;
  #size = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(dir: string, segment: number, logId: bigint, onHole: OnHole) {
    this.#onHole = onHole;
    this.segment = segment;
    this.path = join(dir, segmentName(segment));
    this.#seed = seedOf(logId, segment);
  }

  /** Frames known. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing is added to the segment any more and all its frames are known. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The lowest ordinal of its frames, and the highest of its records, as far as they are known. */
  get ordinals(): { readonly first: number; readonly last: number } {
    const first = Math.min(...[...this.#byTable.values()].map((list) => list[0]!.ordinal));
    return { first, last: this.#highest };
  }

  /** Frames of a table by ordinal, as far as {@link load} went. */
  of(table: string): readonly FrameEntry[] {
    return this.#byTable.get(table) ?? [];
  }

  /** Records were added, or may have been, although their ordinals are low; `at` grows each time. */
  copied(at: number): void {
    this.#copiedAt = Math.max(this.#copiedAt, at);
  }

  /** Whether all frames up to this ordinal are known that the segment has. */
  has(upTo: number): boolean {
    if (this.#isComplete) return true;
    return this.#copiesKnown >= this.#copiedAt && Math.max(this.#highest, this.#missed) >= upTo;
  }

  /**
   * Finds the frames up to this ordinal; all of them if `isLast` says that the log writes to another segment by now.
   * @throws the system's error
   */
  async load(upTo: number, isLast: boolean): Promise<void> {
    const work = this.#work.then(async () => {
      if (!this.has(upTo)) await this.#load(upTo, isLast);
    });
    this.#work = work.catch(() => {});
    await work;
  }

  async #load(upTo: number, isLast: boolean): Promise<void> {
    const copiedAt = this.#copiedAt;
    const file = await open(this.path, "r");
    try {
      const { size } = await file.stat();
      if (this.#scannedTo === SEGMENT_HEADER_BYTES && (await this.#loadIndex(file, size))) return;
      // Only where the file's records end do the copies end; the file itself is longer.
      const isPart = isLast && this.#copiesKnown >= copiedAt;
      await this.#scan(file, size, isPart ? upTo : Number.POSITIVE_INFINITY);
      this.#copiesKnown = copiedAt;
      this.#isComplete ||= !isLast;
      this.#missed = upTo;
    } finally {
      await file.close();
    }
  }

  /** False if the segment has no index that holds. */
  async #loadIndex(file: FileHandle, size: number): Promise<boolean> {
    const footer =
      size < FOOTER_BYTES ? undefined : decodeFooter(await readFrom(file, size - FOOTER_BYTES, FOOTER_BYTES));
    if (footer === undefined || footer.segment !== this.segment) return false;
    const payload = await this.#indexPayload(file, footer);
    if (payload === undefined) return false;
    await this.#addIndex(payload);
    this.#isComplete = true;
    return true;
  }

  async #indexPayload(file: FileHandle, { indexOffset, summaryOffset }: Footer): Promise<Buffer | undefined> {
    const bytes = await readFrom(file, indexOffset, summaryOffset - indexOffset);
    const head = readHead(bytes, 0, bytes.length, this.#seed);
    if (head?.kind !== KIND.index || !payloadHolds(bytes, 0, head)) return undefined;
    return bytes.subarray(HEAD_BYTES, HEAD_BYTES + head.payloadBytes);
  }

  /** Entries as `SegmentIndex.encodeIndex` wrote them, in slices, so that other work of the thread is not held up. */
  async #addIndex(payload: Buffer): Promise<void> {
    let entries = 0;
    for (let at = 0; at < payload.length; entries += 1) {
      const head = decodeHead(payload, at + 8);
      this.#add(Number(payload.readBigUInt64LE(at)), head, payload, at + 8);
      at = aligned(at + 8 + HEAD_BYTES + head.aboutBytes);
      if (entries % SLICE_ENTRIES === 0) await breathe();
    }
  }

  /**
   * Where no record is, the next one is looked for: what is damaged costs itself. Begins at the last commit found: it may have been taken
   * back since, and others be in its place.
   */
  async #scan(file: FileHandle, size: number, upTo: number): Promise<void> {
    this.#scannedFrom = this.#settledTo;
    this.#scannedTo = this.#settledTo;
    this.#doubted = 0;
    let at: number | undefined = this.#scannedTo;
    while (at !== undefined && at < size && this.#highest < upTo) {
      at = this.#scanChunk(await readFrom(file, at, SCAN_BYTES), at, upTo);
    }
  }

  /** Gives where to go on; undefined at the end. */
  #scanChunk(bytes: Buffer, offset: number, upTo: number): number | undefined {
    let at = 0;
    while (at + HEAD_BYTES <= bytes.length) {
      const head = readHead(bytes, at, bytes.length, this.#seed);
      if (head === undefined) {
        // At the end of the file nothing follows that would tell: what looks like a long record may be bytes of a damaged one.
        if (at > 0 && bytes.length === SCAN_BYTES && isCut(bytes, at)) break;
        at += 8;
        continue;
      }
      if (head.kind < KIND.index && head.ordinal > upTo) return undefined;
      if (offset + at > this.#scannedTo && !this.#isHole(offset + at)) return this.#scannedTo;
      this.#isComplete = head.kind >= KIND.index;
      if (this.#isComplete) return undefined;
      if ((head.flags & FLAG.commit) !== 0) this.#settledTo = offset + at;
      this.#add(offset + at, head, bytes, at);
      at += recordBytes(head);
      this.#scannedTo = offset + at;
    }
    // The file may have been cut behind its records since its size was asked for.
    return bytes.length < SCAN_BYTES ? undefined : offset + at;
  }

  /**
   * Whether there is no record between the last one found and the one at `end`. It takes a second look: what is read while the log is written
   * to can be older at its beginning than at its end, and has zeros where records are by now.
   */
  #isHole(end: number): boolean {
    if (this.#doubted !== this.#scannedTo) {
      this.#doubted = this.#scannedTo;
      return false;
    }
    this.#onHole(this.segment, this.#scannedTo, end - this.#scannedTo);
    return true;
  }

  /** `bytes` have the head at `at`, and what the record is about behind it. */
  #add(offset: number, head: Head, bytes: Buffer, at: number): void {
    this.#highest = Math.max(this.#highest, head.ordinal);
    if (head.kind !== KIND.rows) return;
    const about = at + HEAD_BYTES;
    const record = readAbout(head.kind, bytes.subarray(about, about + head.aboutBytes));
    if (record.kind !== "rows") return;
    const place = { segment: this.segment, offset, length: recordBytes(head) };
    this.#insert({ ordinal: head.ordinal, place, record });
  }

  /** Ordinals rise but for copies. */
  #insert(entry: FrameEntry): void {
    const { table } = entry.record;
    let list = this.#byTable.get(table);
    if (list === undefined) {
      list = [];
      this.#byTable.set(table, list);
    }
    let at = list.length;
    while (at > 0 && list[at - 1]!.ordinal > entry.ordinal) at -= 1;
    const known = list[at - 1];
    if (known?.ordinal === entry.ordinal) {
      if (known.place.offset >= this.#scannedFrom) list[at - 1] = entry;
      return;
    }
    list.splice(at, 0, entry);
    this.#size += 1;
  }
}

/** Whether a record may begin here whose fields end behind the bytes at hand. */
function isCut(bytes: Buffer, at: number): boolean {
  const aboutBytes = bytes.readUInt32LE(at + 12);
  return aboutBytes < SCAN_BYTES - HEAD_BYTES && at + HEAD_BYTES + aboutBytes > bytes.length;
}
