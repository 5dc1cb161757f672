// The envelope of cursor and ledger: docs/reference/formats/wal.md#cursor-and-ledger.
import { crc32 } from "node:zlib";
import type { Disk } from "./disk.js";
import { writeFully } from "./write-fully.js";

const MAGIC = 0x006b_6863_646c_6f63n; // "coldchk\0"
const VERSION = 1;
const HEADER_BYTES = 40;

export interface CheckedBody {
  readonly logId: bigint;
  /** Grows with each time the file is saved. */
  readonly generation: number;
  readonly body: Buffer;
}

/** Writes a file of its own kind with its checksum, synced; `fd` was just opened. @throws the system's error */
export function writeChecked(disk: Disk, fd: number, { logId, generation, body }: CheckedBody): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(MAGIC, 0);
  header.writeUInt32LE(VERSION, 8);
  header.writeUInt32LE(body.length, 12);
  header.writeBigUInt64LE(logId, 16);
  header.writeBigUInt64LE(BigInt(generation), 24);
  header.writeUInt32LE(crc32(body, crc32(header.subarray(0, 32))), 32);
  const bytes = Buffer.concat([header, body]);
  writeFully(disk, fd, bytes, 0);
  disk.truncate(fd, bytes.length);
  disk.datasync(fd);
}

/** What the file holds; undefined if it is not there or its checksum does not hold. @throws the system's error */
export function readChecked(disk: Disk, path: string): CheckedBody | undefined {
  const bytes = readWhole(disk, path);
  if (bytes === undefined || bytes.length < HEADER_BYTES) return undefined;
  if (bytes.readBigUInt64LE(0) !== MAGIC || bytes.readUInt32LE(8) !== VERSION) return undefined;
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + bytes.readUInt32LE(12));
  if (body.length !== bytes.readUInt32LE(12)) return undefined;
  if (crc32(body, crc32(bytes.subarray(0, 32))) !== bytes.readUInt32LE(32)) return undefined;
  return {
    logId: bytes.readBigUInt64LE(16),
    generation: Number(bytes.readBigUInt64LE(24)),
    body,
  };
}

function readWhole(disk: Disk, path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = disk.open(path, "read");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(disk.size(fd));
    let done = 0;
    for (let read = -1; read !== 0 && done < bytes.length; done += read) {
      read = disk.read(fd, bytes, done, bytes.length - done, done);
    }
    return bytes.subarray(0, done);
  } finally {
    disk.close(fd);
  }
}
