import { threadId } from "node:worker_threads";
import { ColdpathError } from "../base/errors.js";
import { RingMemory, WRITER_WORD } from "../ring/memory.js";

const FREE = 0;
/** Claims of this thread. */
const claims = new Set<RingClaim>();

/** The right of one thread to write to a ring; it ends with the thread, unless that is ended by force. */
export class RingClaim {
  readonly #words: Int32Array;

  /** @throws ColdpathError RING_IN_USE */
  constructor(ring: SharedArrayBuffer) {
    this.#words = RingMemory.attach(ring).words;
    const writer = Atomics.compareExchange(this.#words, WRITER_WORD, FREE, threadId + 1);
    if (writer !== FREE)
      throw new ColdpathError(
        "RING_IN_USE",
        `thread ${writer - 1} records into this ring, and a ring has one writer: ask recorder.producer() for another`,
      );
    if (claims.size === 0) process.once("exit", releaseAll);
    claims.add(this);
  }

  release(): void {
    // A second call could take it from the next writer.
    if (!claims.delete(this)) return;
    Atomics.store(this.#words, WRITER_WORD, FREE);
    if (claims.size === 0) process.off("exit", releaseAll);
  }
}

function releaseAll(): void {
  for (const claim of claims) claim.release();
}
