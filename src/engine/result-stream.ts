import { MIB } from "../base/units.js";
import { PipeReader } from "./pipe-reader.js";

/** Bytes of a streamed result that are held back, so that an early exception still gets its status. */
const HELD_BACK = MIB;

/**
 * Yields what a statement writes to a named pipe, the first piece not before a mebibyte is there or the statement has
 * succeeded. Throws the statement's exception where it came. Whoever stops reading early has the statement stopped.
 *
 * @param start starts the statement, which may write to the pipe now
 * @param stop makes a statement that still runs end soon
 */
export async function* streamThrough<T>(
  pipe: string,
  start: () => Promise<T>,
  stop: () => void,
): AsyncGenerator<Buffer, T> {
  const reader = new PipeReader(pipe);
  let isOver = false;
  const result = start().finally(() => {
    isOver = true;
    reader.finish();
  });
  // Awaited below in every case; until then a failure only ends the pipe.
  result.catch(() => {});
  try {
    yield* afterHolding(reader.chunks(), result);
    return await result;
  } finally {
    if (!isOver) {
      reader.discard();
      stop();
      await result.catch(() => {});
    }
    reader.close();
  }
}

async function* afterHolding(
  chunks: AsyncIterable<Buffer>,
  result: Promise<unknown>,
): AsyncGenerator<Buffer> {
  let held: Buffer[] | undefined = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (held === undefined) {
      yield chunk;
      continue;
    }
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < HELD_BACK) continue;
    const first = Buffer.concat(held);
    held = undefined;
    yield first;
  }
  if (held === undefined) return;
  await result;
  yield Buffer.concat(held);
}
