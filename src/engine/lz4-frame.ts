import { KIB } from "../base/units.js";
import { LENGTH_BYTES } from "./lz4.js";

const MAGIC = 0x184d2204;
/** Bits of a frame's first flag byte. */
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
/** Flag in a block's size: its data is not packed. */
const PLAIN = 0x8000_0000;
/** How far back a block may point into those before it. */
const WINDOW = 64 * KIB;

/**
 * Unpacks LZ4 frames as they come; one block of at most 4 MiB is held. Checksums are not looked at: what came over TCP is
 * whole, and the format inside has rules of its own.
 *
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @throws Error when the bytes are no such frames
 */
export async function* unpackLz4Frames(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = new ByteReader(pieces);
  while (!(await source.isAtEnd())) yield* unpackFrame(source);
}

async function* unpackFrame(source: ByteReader): AsyncGenerator<Buffer> {
  const { uncompress } = await import("lz4-napi");
  const head = await source.take(6);
  const [flags, descriptor] = [head[4]!, head[5]!];
  const sizeCode = (descriptor >> 4) & 7;
  if (head.readUInt32LE() !== MAGIC || flags >> 6 !== 1 || sizeCode < 4)
    throw new Error("it is no LZ4 frame");
  if ((flags & DICTIONARY) !== 0) throw new Error("it wants a dictionary");
  // The size of the content, if it is there, and the head's checksum.
  await source.take((flags & CONTENT_SIZE) === 0 ? 1 : 9);
  const blockMax = 1 << (8 + 2 * sizeCode);
  let before: Buffer = Buffer.alloc(0);
  for (;;) {
    const size = (await source.take(4)).readUInt32LE();
    if (size === 0) break;
    const bytes = size & ~PLAIN;
    if (bytes > blockMax) throw new Error("a block is longer than the frame allows");
    const data = await source.take(bytes, LENGTH_BYTES);
    data.writeUInt32LE(blockMax);
    const isPlain = size >= PLAIN;
    const block = isPlain ? data.subarray(LENGTH_BYTES) : await uncompress(data, before);
    if ((flags & BLOCK_CHECKSUM) !== 0) await source.take(4);
    if ((flags & INDEPENDENT) === 0) before = Buffer.concat([before, block]).subarray(-WINDOW);
    yield block;
  }
  if ((flags & CONTENT_CHECKSUM) !== 0) await source.take(4);
}

/** Hands out pieces of bytes in the lengths that are asked for. */
class ByteReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #piece: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return true;
      this.#piece = next.value;
    }
    return false;
  }

  /** The next bytes behind `room` free ones. @throws Error when fewer are left */
  async take(bytes: number, room = 0): Promise<Buffer> {
    const taken = Buffer.allocUnsafe(room + bytes);
    for (let at = room; at < taken.length; ) {
      if (await this.isAtEnd()) throw new Error("it is cut off");
      const copied = this.#piece.copy(taken, at);
      this.#piece = this.#piece.subarray(copied);
      at += copied;
    }
    return taken;
  }
}
