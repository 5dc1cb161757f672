import { ColdpathError } from "../base/errors.js";
import { readAbout } from "./about.js";
import type { Disk } from "./disk.js";
import { FLAG, HEAD_BYTES, type Head, KIND, recordBytes, SEGMENT_HEADER_BYTES, seedOf } from "./format.js";
import type { IndexEntry, LogRecord, Place } from "./records.js";
import { type Scan, type ScannedRecord, scan } from "./scan.js";
import { readRecordBytes, SegmentFile } from "./segment-file.js";
import { decodeIndex, type LoggedEntry, SegmentIndex } from "./segment-index.js";

/**
 * The records of a segment in the order of the file, each ordinal once, from its index or, if it has none that holds, by scanning it.
 * @throws the system's error
 */
export function readIndex(disk: Disk, path: string): IndexEntry[] {
  const file = new SegmentFile(disk, path);
  try {
    const logId = file.header?.logId ?? file.footer?.logId;
    return logId === undefined ? [] : readEntries(file, logId).map(({ entry }) => entry);
  } finally {
    file.close();
  }
}

/** The record at this place. @throws LogDamagedError; WAL_NEWER for a compressed payload; the system's error */
export function readRecord(disk: Disk, fd: number, place: Place, logId: bigint): LogRecord {
  const { head, bytes } = readRecordBytes(disk, fd, place, logId);
  const aboutEnd = HEAD_BYTES + head.aboutBytes;
  const record = readAbout(head.kind, bytes.subarray(HEAD_BYTES, aboutEnd));
  if (record.kind !== "rows") return record;
  if ((head.flags & FLAG.lz4) !== 0) throw compressed(place);
  return { ...record, payload: bytes.subarray(aboutEnd, aboutEnd + head.payloadBytes) };
}

function compressed({ segment, offset }: Place): ColdpathError {
  return new ColdpathError(
    "WAL_NEWER",
    `The frame in segment ${segment} at byte ${offset} is compressed with LZ4, which this coldpath does not read`,
  );
}

/** As {@link readIndex}, with the heads. */
export function readEntries(file: SegmentFile, logId: bigint): LoggedEntry[] {
  const seen = new Set<number>();
  // A copy that was made twice, since the first try to carry a segment forward failed, is there twice.
  return allEntries(file, logId).filter(({ entry }) => !seen.has(entry.ordinal) && seen.add(entry.ordinal));
}

function allEntries(file: SegmentFile, logId: bigint): LoggedEntry[] {
  const payload = file.footer && file.closingPayload(KIND.index, file.footer.indexOffset, logId);
  if (payload !== undefined) return decodeIndex(payload, file.segment);
  return decodeIndex(scanSegment(file, logId).index.encodeIndex(), file.segment);
}

/** A segment read from its first to its last byte. */
export interface ScannedSegment extends Scan {
  readonly segment: number;
  readonly bytes: Buffer;
  readonly index: SegmentIndex;
  /** Behind the last record that is not the index or the summary. */
  readonly end: number;
  /** Where its index was begun, if that is known; all records were synced by then. */
  readonly indexOffset: number | undefined;
  /** Where the last commit began; what lies before it was synced. */
  readonly lastCommit: number;
}

/** Reads a segment whole and collects what holds. */
export function scanSegment(file: SegmentFile, logId: bigint): ScannedSegment {
  const { bytes, ...found } = scanSteady(file, seedOf(logId, file.segment));
  const records = found.records.filter(({ head }) => head.kind < KIND.index);
  const last = records.findLast(({ head }) => (head.flags & FLAG.commit) !== 0);
  const legible = [...found.records, ...found.holes.flatMap(({ record }) => record ?? [])];
  const indexOffset =
    file.footer?.indexOffset ?? legible.find(({ head }) => head.kind === KIND.index)?.offset;
  const { segment } = file;
  return {
    ...found,
    ...indexed(segment, bytes, records),
    segment,
    bytes,
    indexOffset,
    lastCommit: last?.offset ?? 0,
  };
}

/** The same segment with zeros in place of these records. */
export function withoutRecords(scanned: ScannedSegment, leaving: readonly IndexEntry[]): ScannedSegment {
  const offsets = new Set(leaving.map(({ place }) => place.offset));
  const bytes = Buffer.from(scanned.bytes);
  for (const { place } of leaving) bytes.fill(0, place.offset, place.offset + place.length);
  const records = scanned.records.filter(({ offset }) => !offsets.has(offset));
  return { ...scanned, ...indexed(scanned.segment, bytes, records), bytes };
}

function indexed(
  segment: number,
  bytes: Buffer,
  records: readonly ScannedRecord[],
): Pick<ScannedSegment, "records" | "index" | "end"> {
  const index = new SegmentIndex(segment);
  for (const { offset, head } of records) {
    index.add(offset, bytes.subarray(offset, aboutEnd(offset, head)), head, aboutOf(bytes, offset, head));
  }
  const tail = records.at(-1);
  return {
    records,
    index,
    end: tail === undefined ? SEGMENT_HEADER_BYTES : tail.offset + recordBytes(tail.head),
  };
}

/**
 * What is read while a recorder writes can be older at its beginning than at its end, and has zeros where records are by now: a hole with
 * records behind it is one if it is there when it is read again.
 */
function scanSteady(file: SegmentFile, seed: number): Scan & { readonly bytes: Buffer } {
  for (let doubted = ""; ; ) {
    const bytes = file.read(0, file.size);
    const found = scan(bytes, seed);
    const end = found.records.at(-1)?.offset ?? 0;
    const holes = found.holes.flatMap(({ offset }) => (offset < end ? [offset] : [])).join(" ");
    if (holes === doubted) return { ...found, bytes };
    doubted = holes;
  }
}

/** What the record at `offset` is about. */
export function aboutOf(bytes: Buffer, offset: number, head: Head): IndexEntry["record"] {
  return readAbout(head.kind, bytes.subarray(offset + HEAD_BYTES, aboutEnd(offset, head)));
}

function aboutEnd(offset: number, head: Head): number {
  return offset + HEAD_BYTES + head.aboutBytes;
}
