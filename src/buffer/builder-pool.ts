import { BlockBuilder, type BlockColumn } from "../native/block.js";
import type { MemoryBudget } from "./memory-budget.js";

/**
 * Cleared builders keep their memory, so that a steady stream of batches allocates nothing. What all tables keep
 * together is bounded.
 */
export class BuilderPool {
  readonly #columns: readonly BlockColumn[];
  readonly #budget: MemoryBudget;
  readonly #free: { readonly builder: BlockBuilder; readonly bytes: number }[] = [];

  constructor(columns: readonly BlockColumn[], budget: MemoryBudget) {
    this.#columns = columns;
    this.#budget = budget;
  }

  take(): BlockBuilder {
    const free = this.#free.pop();
    if (free === undefined) return new BlockBuilder(this.#columns);
    this.#budget.unkeep(free.bytes);
    return free.builder;
  }

  give(builder: BlockBuilder): void {
    const { bytes } = builder;
    if (!this.#budget.keep(bytes)) return;
    builder.clear();
    this.#free.push({ builder, bytes });
  }
}
