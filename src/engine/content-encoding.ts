import { pipeline, Readable, type Transform } from "node:stream";
import { constants, createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { loadLz4, lz4Frame } from "./lz4.js";
import { zstd } from "./zstd.js";

/** How an answer's body travels, as `Content-Encoding` names it. */
export type ContentEncoding = "zstd" | "br" | "lz4" | "gzip" | "deflate";

/** What a server prefers, whatever order or weight the client gives. */
const PREFERENCE: readonly ContentEncoding[] = ["zstd", "br", "lz4", "gzip", "deflate"];

/** The encoding for a client that says what it takes; undefined when the body goes as it is. */
export async function chooseEncoding(accepted: string | undefined): Promise<ContentEncoding | undefined> {
  const names = new Set(
    (accepted ?? "")
      .toLowerCase()
      .split(",")
      .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
      .map((part) => part.split(";", 1)[0]!.trim()),
  );
  for (const name of PREFERENCE) {
    if (!names.has(name)) continue;
    if (name === "zstd" && zstd === undefined) continue;
    if (name === "lz4" && (await loadLz4()) === undefined) continue;
    return name;
  }
  return undefined;
}

/**
 * Packs a body as it comes. Each piece is flushed, so a client has what the engine has produced, however little it is.
 *
 * @param level as the setting `http_zlib_compression_level`, kept to 9; LZ4 has none
 */
export function encodeContent(
  pieces: AsyncIterable<Buffer>,
  encoding: ContentEncoding,
  level: number,
): Readable {
  if (encoding === "lz4") return Readable.from(lz4Frame(pieces), { objectMode: false });
  const packing = createPacking(encoding, level);
  // A failure destroys the packing too, which is what the reader sees.
  return pipeline(Readable.from(pieces, { objectMode: false }), packing, () => {});
}

/** Beyond this each level costs several times the one before, and a reader's answer would take the recorder's cores. */
const LEVEL_MAX = 9;

function createPacking(encoding: Exclude<ContentEncoding, "lz4">, level: number): Transform {
  if (encoding === "br") {
    return createBrotliCompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      params: { [constants.BROTLI_PARAM_QUALITY]: within(level, LEVEL_MAX) },
    });
  }
  if (encoding === "zstd") {
    const { createZstdCompress, constants: flags } = zstd!;
    return createZstdCompress({
      flush: flags.ZSTD_e_flush,
      params: { [flags.ZSTD_c_compressionLevel]: within(level, LEVEL_MAX) },
    });
  }
  const options = { flush: constants.Z_SYNC_FLUSH, level: within(level, LEVEL_MAX) };
  return encoding === "gzip" ? createGzip(options) : createDeflate(options);
}

function within(level: number, most: number): number {
  return Math.min(Math.max(level, 1), most);
}
