import type { Batch } from "./batch.js";

/**
 * What the sink tells the log of one table, so that the next start can do what this one would have done. A promise that
 * rejects means that nothing was written; the sink waits and tries again, and does not go on before.
 */
export interface Journal {
  /**
   * What of a batch has an unknown fate, in order, by the names it goes by: of one that an earlier start sealed some may be known, and the
   * rest have been split.
   */
  open(batch: Batch): readonly Batch[];
  /** Resolves when it is on disk that the batch goes by this name and generation of its token. */
  seal(batch: Batch, generation: number): Promise<void>;
  /** Resolves when it is on disk that the batch will never be sent again, but these halves of it. */
  split(batch: Batch, halves: readonly [Batch, Batch]): Promise<void>;
  /** Resolves when it is on disk that the batch was given up; its dead letter is safe. */
  skip(batch: Batch): Promise<void>;
  /** The rows are in ClickHouse. */
  stored(batch: Batch): void;
}

/** Of a table without a log: its rows are in memory only, and so is what becomes of them. */
export const NO_JOURNAL: Journal = {
  open: (batch) => [batch],
  seal: async () => {},
  split: async () => {},
  skip: async () => {},
  stored: () => {},
};
