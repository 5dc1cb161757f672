import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { compressFrame } from "lz4-napi";

/** How insert bodies travel; `auto` costs nothing on loopback, where it could only lose, and is lz4 elsewhere. */
export type Compression = "auto" | "none" | "lz4" | "gzip";

/** A body as it is sent, and the Content-Encoding that says so. */
export interface Packed {
  readonly body: Buffer;
  readonly encoding?: "lz4" | "gzip";
}

const gzip = promisify(gzipCallback);
/** Seven times as fast as the default level and not much larger on a Native block. */
const GZIP_LEVEL = 1;

/** A function that packs bodies for the server at `url`. Compression runs off this thread. */
export function packerFor(compression: Compression, url: string): (body: Buffer) => Promise<Packed> {
  const chosen = compression !== "auto" ? compression : isLoopback(url) ? "none" : "lz4";
  if (chosen === "none") return async (body) => ({ body });
  if (chosen === "lz4") return async (body) => ({ body: await compressFrame(body), encoding: "lz4" });
  return async (body) => ({ body: await gzip(body, { level: GZIP_LEVEL }), encoding: "gzip" });
}

function isLoopback(url: string): boolean {
  const host = new URL(url).hostname;
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}
