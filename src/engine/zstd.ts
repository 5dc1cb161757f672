import type { Transform } from "node:stream";
import { promisify } from "node:util";
import * as zlib from "node:zlib";

/** The part of `node:zlib` that came with Node.js 22.15. */
interface Zstd {
  readonly zstdDecompress: (
    data: Buffer,
    options: { readonly maxOutputLength: number },
    done: (error: Error | null, unpacked: Buffer) => void,
  ) => void;
  readonly createZstdCompress: (options: {
    readonly flush: number;
    readonly params: Readonly<Record<number, number>>;
  }) => Transform;
  readonly createZstdDecompress: () => Transform;
  readonly constants: { readonly ZSTD_e_flush: number; readonly ZSTD_c_compressionLevel: number };
}

/** Zstandard of the runtime; undefined where it has none. */
export const zstd: Zstd | undefined = "createZstdCompress" in zlib ? (zlib as unknown as Zstd) : undefined;

/** Unpacks into at most `length` bytes; undefined where the runtime cannot. */
export const zstdDecompress: ((data: Buffer, length: number) => Promise<Buffer>) | undefined =
  zstd && ((data, length) => promisify(zstd.zstdDecompress)(data, { maxOutputLength: length }));
