import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MIB } from "../base/units.js";
import { refusal } from "./exception.js";

/** Bytes between the socket and the file; more of them mean fewer and larger writes. */
const BUFFER = MIB;

/**
 * Writes a body to a file of its own in `folder`, as it comes.
 *
 * @param ahead bytes that belong before the body
 * @returns the file; the caller removes it
 */
export async function spool(
  folder: string,
  ahead: Buffer,
  body: Readable | undefined,
  signal: AbortSignal,
): Promise<string> {
  const file = join(folder, randomUUID());
  const sink = createWriteStream(file, { flags: "wx", mode: 0o600, highWaterMark: BUFFER });
  try {
    if (ahead.length > 0) sink.write(ahead);
    await pipeline(body ?? [], sink, { signal });
    return file;
  } catch (error) {
    await rm(file, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw refusal(
        243,
        "NOT_ENOUGH_SPACE",
        `Cannot keep the data of an INSERT: no space left in ${folder}.`,
      );
    }
    throw error;
  }
}
