import { Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { messageOf } from "../base/errors.js";
import { refusal } from "./exception.js";
import { unpackLz4Frames } from "./lz4-frame.js";
import { zstd } from "./zstd.js";

/**
 * The decoded content of a body, as it comes. Only for a body in which the statement must be found; one that is data
 * alone is left to the engine.
 *
 * @param compression as `FROM INFILE … COMPRESSION` calls it
 * @throws ClickHouseError 48 for what cannot be decoded here; the stream fails with 271 when the body is no such thing
 */
export function decodeBody(body: Readable, compression: string): Readable {
  if (compression === "none") return body;
  const decoded = compression === "lz4" ? decodeLz4(body) : decodeThrough(body, decoderOf(compression));
  return Readable.from(decoded, { objectMode: false });
}

function decoderOf(compression: string): Transform {
  if (compression === "gzip") return zlib.createGunzip();
  if (compression === "deflate") return zlib.createInflate();
  if (compression === "br") return zlib.createBrotliDecompress();
  if (compression === "zstd" && zstd !== undefined) return zstd.createZstdDecompress();
  throw refusal(
    48,
    "NOT_IMPLEMENTED",
    `A statement inside of a body with Content-Encoding ${compression} is not read; give it in the parameter query.`,
  );
}

/** Never destroys the body, whose connection carries the answer. */
async function* decodeThrough(body: Readable, decoder: Transform): AsyncGenerator<Buffer> {
  body.once("error", (error) => decoder.destroy(error));
  body.once("close", () => {
    if (!body.readableEnded) decoder.destroy(new Error("it was cut off"));
  });
  decoder.once("close", () => body.unpipe(decoder));
  try {
    yield* body.pipe(decoder) as AsyncIterable<Buffer>;
  } catch (error) {
    throw undecodable(error);
  }
}

async function* decodeLz4(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* unpackLz4Frames(body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  } catch (error) {
    throw undecodable(error);
  }
}

function undecodable(error: unknown): Error {
  return refusal(271, "CANNOT_DECOMPRESS", `Cannot decompress the body: ${messageOf(error)}.`);
}
