import { join } from "node:path";
import { crc32 } from "node:zlib";
import { messageOf } from "../base/errors.js";
import { MIB } from "../base/units.js";
import type { Disk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";
import { FieldWriter } from "./fields.js";
import {
  encodeFooter,
  encodeSegmentHeader,
  HEAD_BYTES,
  KIND,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  sealHead,
  seedOf,
  segmentName,
  writeHead,
} from "./format.js";
import { SegmentIndex } from "./segment-index.js";
import { writeFully } from "./write-fully.js";

/** Of a segment, the part that is made ahead of its records at a time; so that this takes milliseconds, no more than that many bytes. */
const AHEAD_SHARE: number = 1 / 64;
const AHEAD_MAX: number = MIB;

/**
 * The segment that commits go to. Its file is longer than what is in it: where there are zeros already a sync writes the records alone,
 * where the file grows it also waits for the file system's journal, and so for what others write to the same disk.
 */
export class SegmentWriter {
  readonly header: SegmentHeader;
  readonly seed: number;
  readonly index: SegmentIndex;
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #zeros: Buffer;
  #end = SEGMENT_HEADER_BYTES;
  /** Length of the file. */
  #size = SEGMENT_HEADER_BYTES;
  #trusted = true;

  private constructor(disk: Disk, fd: number, header: SegmentHeader, segmentBytes: number) {
    this.#disk = disk;
    this.#fd = fd;
    this.#zeros = Buffer.alloc(Math.min(AHEAD_MAX, Math.floor(segmentBytes * AHEAD_SHARE)));
    this.header = header;
    this.seed = seedOf(header.logId, header.segment);
    this.index = new SegmentIndex(header.segment);
  }

  /**
   * Makes the file: its header and its name are on the disk before anything is written to it.
   * @param segmentBytes how long it is to grow
   * @throws the system's error; then there is no such file, as far as the disk lets it be removed
   */
  static create(disk: Disk, folder: string, header: SegmentHeader, segmentBytes: number): SegmentWriter {
    const path = join(folder, segmentName(header.segment));
    const fd = disk.create(path);
    try {
      writeFully(disk, fd, encodeSegmentHeader(header), 0);
      disk.datasync(fd);
      disk.syncFolder(folder);
      return new SegmentWriter(disk, fd, header, segmentBytes);
    } catch (error) {
      discard(disk, fd, path, error);
    }
  }

  /** Behind the last committed record. */
  get end(): number {
    return this.#end;
  }

  /** False once a sync failed or a broken write could not be taken back: nothing more may be written. */
  get trusted(): boolean {
    return this.#trusted;
  }

  /** Writes behind the end; a write that fails is taken back. @throws the system's error; LogDiskError */
  write(bytes: Buffer): void {
    try {
      writeFully(this.#disk, this.#fd, bytes, this.#end);
      this.#makeRoom(this.#end + bytes.length);
    } catch (error) {
      this.#takeBack(error);
      throw error;
    }
  }

  /**
   * Moves the end behind what was written, `bytes`, once it is on the disk. After a failed sync the system calls the
   * pages clean and the next sync a success although they are lost: the descriptor is never trusted again.
   */
  sync(bytes: number): void {
    try {
      this.#disk.datasync(this.#fd);
    } catch (error) {
      this.#takeBack(error);
      this.#trusted = false;
      throw error;
    }
    this.#end += bytes;
  }

  /** Writes index and footer; the file stays readable, by a scan, if that fails. Its size. @throws the system's error */
  close(): number {
    try {
      return writeClosing(this.#disk, this.#fd, this.#end, this.header, this.index);
    } catch (error) {
      this.#takeBack(error);
      throw error;
    } finally {
      this.#disk.close(this.#fd);
    }
  }

  /** Leaves the file as it is. @throws the system's error */
  abandon(): void {
    this.#disk.close(this.#fd);
  }

  /** Zeros behind what is written up to `end`, if it has used up those of before and the disk has room for others. */
  #makeRoom(end: number): void {
    if (end <= this.#size) return;
    this.#size = end;
    try {
      writeFully(this.#disk, this.#fd, this.#zeros, end);
      this.#size += this.#zeros.length;
    } catch (error) {
      if (!LogDiskError.isOfDisk(error)) throw error;
      // The records are written all the same.
      this.#disk.truncate(this.#fd, end);
    }
  }

  #takeBack(because: unknown): void {
    this.#size = this.#end;
    try {
      this.#disk.truncate(this.#fd, this.#end);
    } catch (error) {
      this.#trusted = false;
      throw new AggregateError([because, error], messageOf(because), { cause: because });
    }
  }
}

/** Closes a segment whose records end at `end`: index, summary and footer, synced. Its size. @throws the system's error */
export function writeClosing(
  disk: Disk,
  fd: number,
  end: number,
  header: SegmentHeader,
  index: SegmentIndex,
): number {
  const seed = seedOf(header.logId, header.segment);
  const to = new FieldWriter(4096);
  addClosingRecord(to, KIND.index, index.encodeIndex(), seed);
  const summaryOffset = end + to.length;
  addClosingRecord(to, KIND.summary, index.encodeSummary(), seed);
  to.bytes(encodeFooter({ ...header, indexOffset: end, summaryOffset }));
  writeFully(disk, fd, to.view, end);
  disk.truncate(fd, end + to.length);
  disk.datasync(fd);
  return end + to.length;
}

function addClosingRecord(to: FieldWriter, kind: number, payload: Buffer, seed: number): void {
  const start = to.length;
  to.reserve(HEAD_BYTES);
  to.length += HEAD_BYTES;
  to.bytes(payload);
  to.align();
  const payloadChecksum = crc32(payload);
  writeHead(to.data, start, {
    kind,
    flags: 0,
    rows: 0,
    ordinal: 0,
    aboutBytes: 0,
    payloadBytes: payload.length,
    payloadChecksum,
  });
  sealHead(to.data, start, 0, seed);
}

function discard(disk: Disk, fd: number, path: string, because: unknown): never {
  try {
    disk.close(fd);
    disk.unlink(path);
  } catch (error) {
    throw new AggregateError([because, error], messageOf(because), { cause: because });
  }
  throw because;
}
