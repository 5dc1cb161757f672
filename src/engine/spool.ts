import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { MIB } from "../base/units.js";
import { refusal } from "./exception.js";
import type { IncomingShare } from "./incoming-budget.js";

/** Bytes collected before a write: few large writes cost half of what one per chunk does. */
const WRITE_SIZE = MIB;

/**
 * Writes a body to a new file, as it comes. What was written stays when it fails; the caller removes the file. An abort
 * is obeyed also while nothing comes, and leaves the connection open for an answer.
 *
 * @param ahead bytes that belong before the body
 * @param share of the disk, asked before each write
 */
export async function spool(
  file: string,
  ahead: Buffer,
  body: Readable | undefined,
  signal: AbortSignal,
  share: IncomingShare,
): Promise<void> {
  signal.throwIfAborted();
  const handle = await open(file, "wx", 0o600);
  try {
    const write = async (buffers: readonly Buffer[]): Promise<void> => {
      share.take(buffers.reduce((bytes, buffer) => bytes + buffer.length, 0));
      await writeAll(handle, buffers);
    };
    if (body === undefined) await write([ahead]);
    else await writeBody(write, ahead, body, signal);
  } catch (error) {
    throw diskFull(error, "the data of an INSERT") ?? error;
  } finally {
    await handle.close();
  }
}

async function writeBody(
  write: (buffers: readonly Buffer[]) => Promise<void>,
  ahead: Buffer,
  body: Readable,
  signal: AbortSignal,
): Promise<void> {
  let held = [ahead];
  let bytes = ahead.length;
  // Both may have happened while the file was opened, and neither tells again.
  signal.throwIfAborted();
  if (body.destroyed) throw cutOff();
  let isOver = false;
  return new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => {
      isOver = true;
      // Paused for the write that failed; what still comes is read and dropped, so that the sender gets to the answer.
      body.resume();
      reject(error);
    };
    const flush = (): Promise<void> => {
      const full = held;
      held = [];
      bytes = 0;
      return write(full);
    };
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    body.on("error", fail);
    body.on("close", () => {
      if (!body.readableEnded) fail(cutOff());
    });
    body.on("end", () => flush().then(resolve, fail));
    body.on("data", (chunk: Buffer) => {
      if (isOver) return;
      held.push(chunk);
      bytes += chunk.length;
      if (bytes < WRITE_SIZE) return;
      body.pause();
      flush().then(() => body.resume(), fail);
    });
  });
}

function cutOff(): Error {
  return new Error("the body was cut off");
}

/** The answer to a write that failed for want of space; undefined when that is not the reason. */
export function diskFull(error: unknown, what: string): Error | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return undefined;
  return refusal(
    243,
    "NOT_ENOUGH_SPACE",
    `Cannot keep ${what}: no space left on the disk of the data folder.`,
  );
}

/** Writes everything: the system may take less than it was given and still call it a success. */
export async function writeAll(handle: FileHandle, buffers: readonly Buffer[]): Promise<void> {
  let { bytesWritten } = await handle.writev(buffers);
  for (const buffer of buffers) {
    if (bytesWritten < buffer.length) await handle.writeFile(buffer.subarray(bytesWritten));
    bytesWritten = Math.max(0, bytesWritten - buffer.length);
  }
}
