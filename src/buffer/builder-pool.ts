import { BlockBuilder, type BlockColumn } from "../native/block.js";

/** Builders kept for the next batches of a table: two in flight, one open, one to spare. */
const KEPT_MAX = 4;

/** Cleared builders keep their memory, so that a steady stream of batches allocates nothing. */
export class BuilderPool {
  readonly #columns: readonly BlockColumn[];
  readonly #free: BlockBuilder[] = [];

  constructor(columns: readonly BlockColumn[]) {
    this.#columns = columns;
  }

  take(): BlockBuilder {
    return this.#free.pop() ?? new BlockBuilder(this.#columns);
  }

  give(builder: BlockBuilder): void {
    if (this.#free.length >= KEPT_MAX) return;
    builder.clear();
    this.#free.push(builder);
  }
}
