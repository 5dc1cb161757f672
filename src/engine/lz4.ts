import { MIB } from "../base/units.js";

/** The part of `lz4-napi` that is used: raw blocks behind the length of what is packed, four bytes, little-endian. */
interface Lz4Module {
  readonly compressSync: (data: Buffer | string) => Buffer;
  readonly uncompress: (data: Uint8Array) => Promise<Buffer>;
}

/** Bytes before a raw block that tell how long it is when unpacked. */
export const LENGTH_BYTES = 4;
/** Bytes that become one block. */
const PART_MAX = MIB;

let loaded: Promise<Lz4Module | undefined> | undefined;

/** Loads LZ4 when it is first needed; undefined where the package has no native part. */
export function loadLz4(): Promise<Lz4Module | undefined> {
  loaded ??= import("lz4-napi").catch(() => undefined);
  return loaded;
}

/** Cuts into parts of at most a mebibyte, none of them empty. */
export function* inBlocks(piece: Buffer): Generator<Buffer> {
  for (let at = 0; at < piece.length; at += PART_MAX) yield piece.subarray(at, at + PART_MAX);
}

/** Magic number, independent blocks of at most 1 MiB without checksums, and the checksum of these two bytes. */
const FRAME_HEAD = Buffer.from("04224d18606051", "hex");
const FRAME_END = Buffer.alloc(4);
/** Flag in a block's size: it is not packed. */
const IS_PLAIN = 0x80000000;

/** Packs into one LZ4 frame, each piece in blocks of its own, so that whoever reads has it at once. */
export async function* lz4Frame(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lz4 = (await loadLz4())!;
  yield FRAME_HEAD;
  for await (const piece of pieces) {
    for (const block of inBlocks(piece)) {
      // The length before the block makes room for the size that stands there in a frame.
      const packed = lz4.compressSync(block);
      const size = packed.length - LENGTH_BYTES;
      if (size < block.length) {
        packed.writeUInt32LE(size, 0);
        yield packed;
      } else {
        const head = Buffer.allocUnsafe(LENGTH_BYTES);
        head.writeUInt32LE((IS_PLAIN | block.length) >>> 0, 0);
        yield Buffer.concat([head, block]);
      }
    }
  }
  yield FRAME_END;
}
