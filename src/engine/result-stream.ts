import { MIB } from "../base/units.js";
import { PipeReader } from "./pipe-reader.js";

/** Bytes of a streamed result that are held back, so that an early exception still gets its status. */
export const HELD_BACK: number = MIB;

/**
 * Yields what a statement writes to a named pipe, the first piece not before a mebibyte is there or the statement has
 * succeeded. Throws the statement's exception where it came. Whoever stops reading early has the statement stopped.
 *
 * @param start starts the statement, which may write to the pipe now
 * @param stop makes `signal` abort, whereupon a statement that still runs ends soon
 */
export async function* streamThrough<T>(
  pipe: string,
  start: () => Promise<T>,
  stop: () => void,
  signal: AbortSignal,
): AsyncGenerator<Buffer, T> {
  const reader = new PipeReader(pipe);
  const discard = (): void => reader.discard();
  signal.addEventListener("abort", discard, { once: true });
  let isOver = false;
  const result = start().finally(() => {
    isOver = true;
    reader.finish();
  });
  // Awaited below in every case; until then a failure only ends the pipe.
  result.catch(() => {});
  try {
    yield* afterHolding(reader, result);
    const value = await result;
    // What was still in the pipe was discarded then.
    signal.throwIfAborted();
    return value;
  } finally {
    if (!isOver) {
      stop();
      await result.catch(() => {});
    }
    signal.removeEventListener("abort", discard);
    reader.close();
  }
}

async function* afterHolding(reader: PipeReader, result: Promise<unknown>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
    if (bytes >= HELD_BACK) {
      yield piece;
      continue;
    }
    held.push(piece);
    bytes += piece.length;
    if (bytes < HELD_BACK) continue;
    const first = Buffer.concat(held);
    held = [];
    yield first;
  }
  if (bytes >= HELD_BACK) return;
  await result;
  yield Buffer.concat(held);
}
