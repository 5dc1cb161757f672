import assert from "node:assert";
import { basename } from "node:path";
import { ColdpathError } from "../base/errors.js";
import { LogDamagedError } from "./damaged-error.js";
import type { Disk } from "./disk.js";
import type { Footer, Head } from "./format.js";
import {
  decodeFooter,
  decodeSegmentHeader,
  FOOTER_BYTES,
  FORMAT_VERSION,
  HEAD_BYTES,
  KIND,
  readHead,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  seedOf,
  segmentNumber,
} from "./format.js";
import type { Place } from "./records.js";
import { payloadHolds } from "./scan.js";

/** A segment that is read; nothing of it is taken on trust. */
export class SegmentFile {
  readonly segment: number;
  readonly size: number;
  /** Undefined if it is damaged. */
  readonly header: SegmentHeader | undefined;
  /** Undefined if the segment was not closed, or the footer is damaged. */
  readonly footer: Footer | undefined;
  readonly #disk: Disk;
  readonly #fd: number;

  /** @throws the system's error; WAL_DAMAGED if a newer version wrote the file */
  constructor(disk: Disk, path: string) {
    const segment = segmentNumber(basename(path));
    assert.ok(segment !== undefined, `${path} is not the name of a segment`);
    this.segment = segment;
    this.#disk = disk;
    this.#fd = disk.open(path, "read");
    try {
      this.size = disk.size(this.#fd);
      const header = decodeSegmentHeader(this.read(0, SEGMENT_HEADER_BYTES));
      if (header !== undefined && header.version > FORMAT_VERSION) throw newerVersion(path, header.version);
      this.header = header;
      const footerAt = this.size - FOOTER_BYTES;
      this.footer = footerAt > 0 ? decodeFooter(this.read(footerAt, FOOTER_BYTES)) : undefined;
    } catch (error) {
      disk.close(this.#fd);
      throw error;
    }
  }

  close(): void {
    this.#disk.close(this.#fd);
  }

  /** The bytes from `offset` on, fewer than `length` at the end of the file. */
  read(offset: number, length: number): Buffer {
    return readFully(this.#disk, this.#fd, offset, Math.min(length, Math.max(this.size - offset, 0)));
  }

  /** Head and bytes of the record at this place. @throws LogDamagedError; the system's error */
  record(place: Place, logId: bigint): { readonly head: Head; readonly bytes: Buffer } {
    return readRecordBytes(this.#disk, this.#fd, place, logId);
  }

  /** The payload of the closing record at `offset`; undefined if it is damaged. */
  closingPayload(kind: number, offset: number, logId: bigint): Buffer | undefined {
    const seed = seedOf(logId, this.segment);
    const fixed = this.read(offset, HEAD_BYTES);
    const head = readHead(fixed, 0, fixed.length, seed);
    if (head?.kind !== kind || offset + recordBytes(head) > this.size) return undefined;
    const bytes = this.read(offset, recordBytes(head));
    return payloadHolds(bytes, 0, head)
      ? bytes.subarray(HEAD_BYTES, HEAD_BYTES + head.payloadBytes)
      : undefined;
  }
}

/** Head and bytes of the record at this place. @throws LogDamagedError; the system's error */
export function readRecordBytes(
  disk: Disk,
  fd: number,
  place: Place,
  logId: bigint,
): { readonly head: Head; readonly bytes: Buffer } {
  const bytes = readFully(disk, fd, place.offset, place.length);
  const head = readHead(bytes, 0, bytes.length, seedOf(logId, place.segment));
  if (head === undefined || recordBytes(head) !== place.length || head.kind >= KIND.index) {
    throw new LogDamagedError(place, "no record of this length is there");
  }
  if (!payloadHolds(bytes, 0, head)) throw new LogDamagedError(place, "the payload's checksum does not hold");
  return { head, bytes };
}

function readFully(disk: Disk, fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = disk.read(fd, bytes, done, length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

function newerVersion(path: string, version: number): ColdpathError {
  return new ColdpathError(
    "WAL_NEWER",
    `${path} has version ${version} of the format; this coldpath reads up to ${FORMAT_VERSION}`,
  );
}
