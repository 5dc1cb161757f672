import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MIB } from "../base/units.js";
import { refusal } from "./exception.js";

/** Bytes between the socket and the file; more of them mean fewer and larger writes. */
const BUFFER = MIB;

/**
 * Writes a body to a new file, as it comes. What was written stays when it fails; the caller removes the file.
 *
 * @param ahead bytes that belong before the body
 */
export async function spool(
  file: string,
  ahead: Buffer,
  body: Readable | undefined,
  signal: AbortSignal,
): Promise<void> {
  const sink = createWriteStream(file, { flags: "wx", mode: 0o600, highWaterMark: BUFFER });
  try {
    if (ahead.length > 0) sink.write(ahead);
    await pipeline(body ?? [], sink, { signal });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw refusal(243, "NOT_ENOUGH_SPACE", `Cannot keep the data of an INSERT: no space left for ${file}.`);
    }
    throw signal.aborted ? signal.reason : error;
  }
}
