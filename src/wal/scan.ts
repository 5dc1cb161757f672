import { crc32 } from "node:zlib";
import type { Head } from "./format.js";
import {
  aligned,
  decodeFooter,
  FOOTER_BYTES,
  HEAD_BYTES,
  readHead,
  recordBytes,
  SEGMENT_HEADER_BYTES,
} from "./format.js";

export interface ScannedRecord {
  readonly offset: number;
  readonly head: Head;
}

/** Bytes that are no record. */
export interface Hole {
  readonly offset: number;
  readonly bytes: number;
  /** Of the record that was there, if it is legible; its payload is not. */
  readonly record: ScannedRecord | undefined;
}

export interface Scan {
  readonly records: readonly ScannedRecord[];
  /** Between records, or behind the last one; there only zeros are no hole. */
  readonly holes: readonly Hole[];
}

/** Finds every record of a segment whose checksums hold, whatever lies between them. */
export function scan(bytes: Buffer, seed: number): Scan {
  const records: ScannedRecord[] = [];
  const holes: Hole[] = [];
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length) {
    const head = readHead(bytes, at, bytes.length, seed);
    const next = head === undefined ? undefined : at + recordBytes(head);
    if (head !== undefined && payloadHolds(bytes, at, head)) {
      records.push({ offset: at, head });
      at = next!;
      continue;
    }
    // A legible head says where the next record begins; otherwise it is looked for.
    const resume = next !== undefined && next <= bytes.length ? next : nextHead(bytes, at + 8, seed);
    const stop = resume ?? endOfData(bytes, at);
    if (stop > at && !isFooter(bytes, at)) {
      holes.push({ offset: at, bytes: stop - at, record: head && { offset: at, head } });
    }
    if (resume === undefined) break;
    at = resume;
  }
  return { records, holes };
}

/** Whether the record lies whole in `bytes` and its payload is what was written. */
export function payloadHolds(bytes: Buffer, offset: number, head: Head): boolean {
  const start = offset + HEAD_BYTES + head.aboutBytes;
  const end = start + head.payloadBytes;
  return end <= bytes.length && crc32(bytes.subarray(start, end)) === head.payloadChecksum;
}

function nextHead(bytes: Buffer, from: number, seed: number): number | undefined {
  for (let at = from; at + HEAD_BYTES <= bytes.length; at += 8) {
    if (readHead(bytes, at, bytes.length, seed) !== undefined) return at;
  }
  return undefined;
}

/** The first place from which on there are only zeros, or a footer. */
function endOfData(bytes: Buffer, from: number): number {
  let at = bytes.length;
  if (at - FOOTER_BYTES >= from && isFooter(bytes, at - FOOTER_BYTES)) at -= FOOTER_BYTES;
  while (at > from && bytes[at - 1] === 0) at -= 1;
  return Math.min(aligned(at), bytes.length);
}

function isFooter(bytes: Buffer, at: number): boolean {
  return at + FOOTER_BYTES === bytes.length && decodeFooter(bytes.subarray(at)) !== undefined;
}
