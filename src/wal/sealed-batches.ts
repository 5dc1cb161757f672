import type { SeqSpan } from "../buffer/batch.js";
import type { Frame } from "./frame-queue.js";
import type { IndexEntry } from "./records.js";

/** A batch that an earlier start may have sent: the same frames go out again, under the same name. */
export interface SealedBatch {
  readonly number: number;
  readonly run: bigint;
  readonly frames: readonly SeqSpan[];
  /** Those read back so far, in order. */
  readonly found: Frame[];
}

/** The sealed batches of one table that a log held when it was opened, found by their frames. */
export class SealedBatches {
  readonly #batches = new Set<SealedBatch>();
  readonly #byFrame = new Map<string, SealedBatch>();

  constructor(table: string, marks: readonly IndexEntry[]) {
    // The last seal of a frame is the one under which it may be on its way.
    for (const { record } of [...marks].reverse()) {
      // What a batch was split into, and its later generations, are the journal's to know.
      if (record.kind !== "seal" || record.table !== table || !/^\d+$/.test(record.batch)) continue;
      if (record.frames.some(({ firstSeq }) => this.of(record.run, firstSeq) !== undefined)) continue;
      const { run, frames } = record;
      const batch = { number: Number(record.batch), run, frames, found: [] };
      this.#batches.add(batch);
      for (const { firstSeq } of frames) this.#byFrame.set(keyOf(run, firstSeq), batch);
    }
  }

  /** The batch that the frame is part of. */
  of(run: bigint, firstSeq: number): SealedBatch | undefined {
    return this.#byFrame.get(keyOf(run, firstSeq));
  }

  /** All its frames were found, or are not needed. */
  forget(batch: SealedBatch): void {
    this.#batches.delete(batch);
    for (const { firstSeq } of batch.frames) this.#byFrame.delete(keyOf(batch.run, firstSeq));
  }

  /** Those of which some frames were found and others not. */
  get incomplete(): SealedBatch[] {
    return [...this.#batches].filter(({ found }) => found.length > 0);
  }
}

function keyOf(run: bigint, firstSeq: number): string {
  return `${run}/${firstSeq}`;
}
