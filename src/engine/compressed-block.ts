import type { Readable } from "node:stream";
import { GIB } from "../base/units.js";
import { cityHash128 } from "./city-hash.js";
import { refusal } from "./exception.js";
import { inBlocks, LENGTH_BYTES, loadLz4 } from "./lz4.js";
import { zstdDecompress } from "./zstd.js";

/**
 * ClickHouse's own compressed blocks, in which answers go with `compress=1` and data comes with `decompress=1`:
 * checksum of all that follows (16 bytes), method (1), size with this head but without the checksum (4), size unpacked
 * (4), data.
 */

const CHECKSUM_BYTES = 16;
const HEAD_BYTES = 9;
const LZ4 = 0x82;
const ZSTD = 0x90;
const NONE = 0x02;
/** Bytes a block may have, packed or not, as on a server. */
export const BLOCK_MAX: number = GIB;
/** No byte of LZ4 stands for more than this many. */
const LZ4_RATIO_MAX = 255;

/** @throws ClickHouseError 48 where answers cannot go in blocks, which must be known before they start */
export async function requireBlocks(): Promise<void> {
  if ((await loadLz4()) === undefined) throw noLz4("compress=1");
}

/** Packs each piece into blocks of its own, so that whoever reads has it at once. */
export async function* compressedBlocks(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lz4 = (await loadLz4())!;
  for await (const piece of pieces) {
    for (const part of inBlocks(piece)) yield seal(lz4.compressSync(part));
  }
}

/** A short text in one block; plain where LZ4 is missing. */
export async function compressedBlock(text: string): Promise<Buffer> {
  const lz4 = await loadLz4();
  return lz4 === undefined ? Buffer.from(text) : seal(lz4.compressSync(text));
}

function seal(packed: Buffer): Buffer {
  // What stands before the packed data is its size unpacked, as in the head.
  const block = Buffer.allocUnsafe(CHECKSUM_BYTES + HEAD_BYTES - LENGTH_BYTES + packed.length);
  block[CHECKSUM_BYTES] = LZ4;
  block.writeUInt32LE(block.length - CHECKSUM_BYTES, CHECKSUM_BYTES + 1);
  packed.copy(block, CHECKSUM_BYTES + HEAD_BYTES - LENGTH_BYTES);
  cityHash128(block.subarray(CHECKSUM_BYTES)).copy(block);
  return block;
}

/**
 * Unpacks a body of such blocks as it comes; no more than one block is held.
 *
 * @param most bytes that a block may have, packed or not
 * @throws ClickHouseError with a server's code for a block that is damaged or lies about its size
 */
export async function* decompressedBlocks(body: Readable, most: number): AsyncGenerator<Buffer> {
  let block: Buffer = Buffer.allocUnsafe(CHECKSUM_BYTES + HEAD_BYTES);
  let filled = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(block, filled, at);
      at += taken;
      filled += taken;
      if (filled < block.length) continue;
      if (filled === CHECKSUM_BYTES + HEAD_BYTES) {
        block = withRoom(block, most);
        continue;
      }
      yield await open(block);
      block = Buffer.allocUnsafe(CHECKSUM_BYTES + HEAD_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) throw refusal(33, "CANNOT_READ_ALL_DATA", "Cannot read all data: a block is cut off.");
}

/** Room for the whole block behind its head. The system gives memory only as it is filled, so a lie costs nothing. */
function withRoom(head: Buffer, most: number): Buffer {
  const size = head.readUInt32LE(CHECKSUM_BYTES + 1);
  const unpacked = head.readUInt32LE(CHECKSUM_BYTES + 5);
  if (size > most) {
    throw refusal(
      131,
      "TOO_LARGE_SIZE_COMPRESSED",
      `Too large size_compressed_without_checksum: ${size}. Most likely corrupted data.`,
    );
  }
  if (size <= HEAD_BYTES) {
    throw corrupted(`the compressed size (${size}) has no room for more than the head`);
  }
  const method = head[CHECKSUM_BYTES]!;
  const packed = size - HEAD_BYTES;
  if (
    unpacked > most ||
    (method === LZ4 && unpacked > packed * LZ4_RATIO_MAX) ||
    (method === NONE && unpacked !== packed)
  ) {
    throw corrupted(`${packed} bytes cannot unpack to ${unpacked}`);
  }
  const block = Buffer.allocUnsafe(CHECKSUM_BYTES + size);
  head.copy(block);
  return block;
}

async function open(block: Buffer): Promise<Buffer> {
  const sum = cityHash128(block.subarray(CHECKSUM_BYTES));
  if (!sum.equals(block.subarray(0, CHECKSUM_BYTES))) {
    throw refusal(
      40,
      "CHECKSUM_DOESNT_MATCH",
      `Checksum doesn't match: corrupted data. Reference: ${block.toString("hex", 0, CHECKSUM_BYTES)}. ` +
        `Actual: ${sum.toString("hex")}. Size of compressed block: ${block.length - CHECKSUM_BYTES}.`,
    );
  }
  const expected = block.readUInt32LE(CHECKSUM_BYTES + 5);
  const unpacked = await unpack(
    block[CHECKSUM_BYTES]!,
    block.subarray(CHECKSUM_BYTES + HEAD_BYTES - LENGTH_BYTES),
  );
  if (unpacked.length !== expected) {
    throw corrupted(`a block unpacks to ${unpacked.length} bytes and says ${expected}`);
  }
  return unpacked;
}

/** @param data the packed data behind its size unpacked */
async function unpack(method: number, data: Buffer): Promise<Buffer> {
  const packed = data.subarray(LENGTH_BYTES);
  if (method === NONE) return packed;
  if (method === LZ4) {
    const lz4 = await loadLz4();
    if (lz4 === undefined) throw noLz4("decompress=1");
    return await lz4.uncompress(data).catch(cannotDecompress);
  }
  if (method === ZSTD && zstdDecompress !== undefined) {
    return await zstdDecompress(packed, data.readUInt32LE(0)).catch(cannotDecompress);
  }
  throw refusal(
    432,
    "UNKNOWN_CODEC",
    `Codec of method 0x${method.toString(16)} is not available: the embedded engine unpacks LZ4 (0x82) and NONE (0x02), ` +
      "and ZSTD (0x90) on Node.js 22.15 or newer.",
  );
}

function cannotDecompress(error: unknown): never {
  throw refusal(271, "CANNOT_DECOMPRESS", `Cannot decompress a block: ${(error as Error).message}.`);
}

function corrupted(what: string): Error {
  return refusal(246, "CORRUPTED_DATA", `Can't decompress data: ${what}.`);
}

function noLz4(parameter: string): Error {
  return refusal(48, "NOT_IMPLEMENTED", `${parameter} needs LZ4, and lz4-napi has no native part here.`);
}
