// docs/reference/formats/wal.md has the byte tables of this codec.
import { crc32 } from "node:zlib";

/** Version of the segment format that this code writes; it reads 1 to this. */
export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
export const FOOTER_BYTES = 64;
/** The fixed part of a record; what it is about, and its payload, follow. */
export const HEAD_BYTES = 32;
/** No record, and no part of one, is longer; a length beyond it is damage, whatever its checksum. */
export const RECORD_BYTES_MAX = 512 * 1024 * 1024;

const SEGMENT_MAGIC = 0x006c_6177_646c_6f63n; // "coldwal\0"
const FOOTER_MAGIC = 0x0064_6e65_646c_6f63n; // "coldend\0"
/** In each head, so that a search for records after damage seldom has to compute a checksum. */
const RECORD_MARK = 0x1dc0;
const ALIGNMENT = 8;

export const KIND = { rows: 1, seal: 2, split: 3, skip: 4, group_end: 5, index: 14, summary: 15 } as const;
const KINDS: ReadonlySet<number> = new Set(Object.values(KIND));

export const FLAG = {
  /** The payload is an LZ4 block behind its length: reserved, not written by this version. */
  lz4: 1,
  /** A copy under the ordinal of its original, which may be in the log too. */
  copy: 2,
  /** The first record of a commit: all records before it were synced when it was written. */
  commit: 4,
} as const;

export interface SegmentHeader {
  readonly segment: number;
  readonly logId: bigint;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The next ordinal when the segment was made. */
  readonly nextOrdinal: number;
}

export interface Footer extends SegmentHeader {
  readonly indexOffset: number;
  readonly summaryOffset: number;
}

/** The fixed part of a record. */
export interface Head {
  readonly kind: number;
  readonly flags: number;
  /** Of a frame: its rows. Of a group's end: the rows of all frames of the group. Otherwise 0. */
  readonly rows: number;
  readonly ordinal: number;
  readonly aboutBytes: number;
  readonly payloadBytes: number;
  readonly payloadChecksum: number;
}

/** `00000001.wal` */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, "0")}.wal`;
}

/** The number of the segment with this name; undefined if it is not the name of one. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^(\d{8,15})\.wal$/.exec(name)?.[1];
  return digits !== undefined && segmentName(Number(digits)) === name ? Number(digits) : undefined;
}

/** Where checksums of a segment begin, so that bytes of another log or segment never pass. */
export function seedOf(logId: bigint, segment: number): number {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(logId, 0);
  bytes.writeUInt32LE(segment, 8);
  return crc32(bytes);
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of a record in its segment, padding included. */
export function recordBytes(head: Head): number {
  return aligned(HEAD_BYTES + head.aboutBytes + head.payloadBytes);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  writeIdentity(bytes, SEGMENT_MAGIC, header);
  return sealed(bytes);
}

export function encodeFooter(footer: Footer): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  writeIdentity(bytes, FOOTER_MAGIC, footer);
  bytes.writeBigUInt64LE(BigInt(footer.indexOffset), 40);
  bytes.writeBigUInt64LE(BigInt(footer.summaryOffset), 48);
  return sealed(bytes);
}

/** The header, its version told apart from damage; undefined if the bytes are not a header. */
export function decodeSegmentHeader(bytes: Buffer): (SegmentHeader & { version: number }) | undefined {
  return bytes.length >= SEGMENT_HEADER_BYTES ? readIdentity(bytes, SEGMENT_MAGIC) : undefined;
}

export function decodeFooter(bytes: Buffer): Footer | undefined {
  const identity = bytes.length >= FOOTER_BYTES ? readIdentity(bytes, FOOTER_MAGIC) : undefined;
  if (identity === undefined) return undefined;
  const indexOffset = Number(bytes.readBigUInt64LE(40));
  const summaryOffset = Number(bytes.readBigUInt64LE(48));
  return { ...identity, indexOffset, summaryOffset };
}

/** Writes all of a head but its own checksum, which {@link sealHead} adds once the segment is known. */
export function writeHead(bytes: Buffer, offset: number, head: Head): void {
  bytes.writeUInt32LE(head.payloadChecksum, offset + 4);
  bytes.writeUInt32LE(head.payloadBytes, offset + 8);
  bytes.writeUInt32LE(head.aboutBytes, offset + 12);
  bytes.writeUInt16LE(RECORD_MARK, offset + 16);
  bytes.writeUInt8(head.kind, offset + 18);
  bytes.writeUInt8(head.flags, offset + 19);
  bytes.writeUInt32LE(head.rows, offset + 20);
  // Twice as fast as by way of a bigint, and each frame passes here.
  bytes.writeUInt32LE(head.ordinal >>> 0, offset + 24);
  bytes.writeUInt32LE(Math.floor(head.ordinal / 2 ** 32), offset + 28);
}

/** Sets the flags of a head and its checksum, which covers head and about, and with them the payload's checksum. */
export function sealHead(bytes: Buffer, offset: number, flags: number, seed: number): void {
  bytes.writeUInt8(flags, offset + 19);
  const end = offset + HEAD_BYTES + bytes.readUInt32LE(offset + 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + 4, end), seed), offset);
}

/**
 * The head at `offset`; undefined if there is none whose checksum holds, or if the record would not end before `end`.
 * The payload is not looked at.
 */
export function readHead(bytes: Buffer, offset: number, end: number, seed: number): Head | undefined {
  if (offset + HEAD_BYTES > end || bytes.readUInt16LE(offset + 16) !== RECORD_MARK) return undefined;
  const aboutBytes = bytes.readUInt32LE(offset + 12);
  const aboutEnd = offset + HEAD_BYTES + aboutBytes;
  if (aboutBytes > RECORD_BYTES_MAX || aboutEnd > end) return undefined;
  if (crc32(bytes.subarray(offset + 4, aboutEnd), seed) !== bytes.readUInt32LE(offset)) return undefined;
  const head = decodeHead(bytes, offset);
  if (!KINDS.has(head.kind) || head.payloadBytes > RECORD_BYTES_MAX) return undefined;
  return head;
}

/** The head at `offset`, whose checksum was checked. */
export function decodeHead(bytes: Buffer, offset: number): Head {
  return {
    kind: bytes.readUInt8(offset + 18),
    flags: bytes.readUInt8(offset + 19),
    rows: bytes.readUInt32LE(offset + 20),
    ordinal: bytes.readUInt32LE(offset + 24) + bytes.readUInt32LE(offset + 28) * 2 ** 32,
    aboutBytes: bytes.readUInt32LE(offset + 12),
    payloadBytes: bytes.readUInt32LE(offset + 8),
    payloadChecksum: bytes.readUInt32LE(offset + 4),
  };
}

function writeIdentity(
  bytes: Buffer,
  magic: bigint,
  { segment, logId, createdAt, nextOrdinal }: SegmentHeader,
): void {
  bytes.writeBigUInt64LE(magic, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(segment, 12);
  bytes.writeBigUInt64LE(logId, 16);
  bytes.writeBigUInt64LE(BigInt(createdAt), 24);
  bytes.writeBigUInt64LE(BigInt(nextOrdinal), 32);
}

function readIdentity(bytes: Buffer, magic: bigint): (SegmentHeader & { version: number }) | undefined {
  if (bytes.readBigUInt64LE(0) !== magic || crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60))
    return undefined;
  return {
    version: bytes.readUInt32LE(8),
    segment: bytes.readUInt32LE(12),
    logId: bytes.readBigUInt64LE(16),
    createdAt: Number(bytes.readBigUInt64LE(24)),
    nextOrdinal: Number(bytes.readBigUInt64LE(32)),
  };
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}
