import { messageOf } from "../base/errors.js";
import { formatSize } from "../base/units.js";
import type { BodyMemory, HeldBody } from "./body-memory.js";
import { gunzip } from "./gunzip.js";
import { unlessAborted } from "./unless-aborted.js";

export interface BodyOptions {
  /** The body as it came. */
  readonly body: AsyncIterable<Buffer>;
  readonly isGzip: boolean;
  /** Most bytes of the body, after decompression. */
  readonly maxBodyBytes: number;
  /** What the bodies of all requests share. */
  readonly memory: BodyMemory;
  /** Aborts when the caller has gone or has waited long enough. */
  readonly signal: AbortSignal;
}

/** Why no row of a request was taken. */
export type Unread =
  /** 400: the body cannot be read. */
  | { readonly kind: "malformed"; readonly message: string }
  /** 413: the body is too large. */
  | { readonly kind: "too_large"; readonly message: string }
  /** 503: the table, or the memory for bodies, is at its limit. */
  | { readonly kind: "full"; readonly message: string }
  | NotSafe;

/** 503: `taken` rows were taken, and not all of those are known to be safe. */
export interface NotSafe {
  readonly kind: "not_stored";
  readonly taken: number;
  readonly message: string;
}

/**
 * Reads a body to its end; `onChunk` sees each piece of it, decompressed.
 * @returns why that did not work; undefined if it did
 */
export async function readBody(
  options: BodyOptions,
  held: HeldBody,
  onChunk: (chunk: Buffer) => void = () => {},
): Promise<Unread | undefined> {
  const { isGzip, maxBodyBytes, memory, signal } = options;
  const body = unowned(options);
  let bytes = 0;
  try {
    for await (const chunk of isGzip ? gunzip(body) : body) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) {
        return { kind: "too_large", message: `the body is larger than ${formatSize(maxBodyBytes)}` };
      }
      if (!held.add(chunk)) {
        const message = `the bodies of all requests are at their limit of ${formatSize(memory.max)}`;
        return { kind: "full", message };
      }
      onChunk(chunk);
    }
  } catch (error) {
    if (signal.aborted) return { kind: "not_stored", taken: 0, message: "not read before the deadline" };
    return { kind: "malformed", message: `the body cannot be read: ${messageOf(error)}` };
  }
  return undefined;
}

/**
 * Ending the loop over a request's body destroys its socket, and with it the answer; ending this one does not. @throws
 * when the signal aborts, also while a body is waited for that does not come.
 */
async function* unowned({ body, signal }: BodyOptions): AsyncGenerator<Buffer> {
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Buffer> | undefined;
    const arrival = iterator.next().then((result) => {
      next = result;
    });
    await unlessAborted(arrival, signal);
    signal.throwIfAborted();
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}
