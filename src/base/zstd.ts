import * as zlib from "node:zlib";

type ZstdCompress = (body: Buffer, done: (error: Error | null, packed: Buffer) => void) => void;

/** Node's own zstd, off this thread: there since Node 22.15, undefined before. */
export const zstdCompress: ZstdCompress | undefined = (zlib as { zstdCompress?: ZstdCompress }).zstdCompress;

/** Why zstd cannot be used and what to do. */
export const NO_ZSTD = `Node ${process.versions.node} has no zstd; use Node 22.15 or newer, or lz4`;
