import { type Deferred, deferred } from "../base/deferred.js";
import { ColdpathError } from "../base/errors.js";
import type { SeqSpan } from "../buffer/batch.js";
import type { Frame } from "./frame-queue.js";
import type { RowFates } from "./row-fates.js";

/** Those who wait for the fate of rows of this start: nothing is kept of frames that nobody asks for. */
export class StoredWaiters {
  readonly #table: string;
  readonly #run: bigint;
  readonly #fates: RowFates;
  /** By the first number of their frame. */
  readonly #byFrame = new Map<number, Deferred>();
  #isLeft = false;
  #upTo: { readonly last: number; readonly resolve: () => void }[] = [];

  constructor(table: string, run: bigint, fates: RowFates) {
    this.#table = table;
    this.#run = run;
    this.#fates = fates;
  }

  /** Settles when the fate of the frame's rows is known: rejects if some were given up. */
  async storedOf(frame: SeqSpan): Promise<void> {
    if (this.#fates.isKnown(this.#run, frame)) {
      const skipped = this.#fates.skippedIn(this.#run, frame);
      if (skipped === 0) return;
      throw new ColdpathError(
        "BATCH_FAILED",
        `${skipped} rows of ${this.#table} were given up: in the dead letters, or purged from the log`,
      );
    }
    let waiter = this.#byFrame.get(frame.firstSeq);
    if (waiter === undefined) {
      waiter = deferred();
      this.#byFrame.set(frame.firstSeq, waiter);
    }
    await waiter.promise;
  }

  /** Resolves when the fate of the rows 1 … `last` is known, or will not be before the next start. */
  async knownUpTo(last: number): Promise<void> {
    if (this.#isLeft || this.#fates.openIn(this.#run, 1, last) === 0) return;
    await new Promise<void>((resolve) => {
      this.#upTo.push({ last, resolve });
    });
  }

  /** Nothing more happens to these frames. */
  settle(frames: readonly Pick<Frame, "run" | "firstSeq">[], failure: Error | undefined): void {
    for (const { run, firstSeq } of frames) {
      const waiter = run === this.#run ? this.#byFrame.get(firstSeq) : undefined;
      if (waiter === undefined) continue;
      this.#byFrame.delete(firstSeq);
      if (failure === undefined) waiter.resolve();
      else waiter.reject(failure);
    }
    this.#upTo = this.#upTo.filter(({ last, resolve }) => {
      const isOpen = this.#fates.openIn(this.#run, 1, last) > 0;
      if (!isOpen) resolve();
      return isOpen;
    });
  }

  /** These rows were given up, which ends their waiting. */
  giveUp({ firstSeq, count }: SeqSpan, failure: Error): void {
    const frames = [...this.#byFrame.keys()].filter((seq) => seq >= firstSeq && seq < firstSeq + count);
    this.settle(
      frames.map((seq) => ({ run: this.#run, firstSeq: seq })),
      failure,
    );
  }

  /** Nobody will find out before the next start. */
  leave(reason: Error): void {
    for (const waiter of this.#byFrame.values()) waiter.reject(reason);
    this.#byFrame.clear();
    this.#isLeft = true;
    for (const { resolve } of this.#upTo.splice(0)) resolve();
  }
}
