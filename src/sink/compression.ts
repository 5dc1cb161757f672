import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { ColdpathError } from "../base/errors.js";
import { isLoopbackUrl } from "../base/loopback.js";
import { NO_ZSTD, zstdCompress } from "../base/zstd.js";

/** How insert bodies travel; `auto` costs nothing on loopback, where it could only lose, and is lz4 elsewhere. */
export type Compression = "auto" | "none" | "lz4" | "gzip" | "zstd";

/** A body as it is sent, and the Content-Encoding that says so. */
interface Packed {
  readonly body: Buffer;
  readonly encoding?: "lz4" | "gzip" | "zstd";
}

const gzip = promisify(gzipCallback);
/** Seven times as fast as the default level and not much larger on a Native block. */
const GZIP_LEVEL = 1;

export type Pack = (body: Buffer) => Promise<Packed>;

/**
 * What packs bodies for the servers at `urls`; it works off this thread. The lz4 package brings its native part as an optional
 * dependency, which an install may leave out: `auto` then means gzip.
 * @throws ColdpathError CONFIG_INVALID if lz4 or zstd was asked for by name and is not there
 */
export async function packerFor(compression: Compression, urls: readonly string[]): Promise<Pack> {
  const chosen = compression !== "auto" ? compression : urls.every(isLoopbackUrl) ? "none" : "lz4";
  if (chosen === "none") return async (body) => ({ body });
  if (chosen === "zstd") {
    if (zstdCompress === undefined)
      throw new ColdpathError("CONFIG_INVALID", `clickhouse.compression: ${NO_ZSTD}`);
    const zstd = promisify(zstdCompress);
    return async (body) => ({ body: await zstd(body), encoding: "zstd" });
  }
  if (chosen === "lz4") {
    try {
      const { compressFrame } = await import("lz4-napi");
      return async (body) => ({ body: await compressFrame(body), encoding: "lz4" });
    } catch (cause) {
      if (compression === "lz4") {
        const message =
          "clickhouse.compression is lz4, but lz4-napi has no native part here; npm install it, or use gzip";
        throw new ColdpathError("CONFIG_INVALID", message, { cause });
      }
    }
  }
  return async (body) => ({ body: await gzip(body, { level: GZIP_LEVEL }), encoding: "gzip" });
}
