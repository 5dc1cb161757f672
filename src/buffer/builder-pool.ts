import { BlockBuilder, type BlockColumn } from "../native/block.js";
import type { MemoryBudget } from "./memory-budget.js";

/**
 * Cleared builders keep their memory, so that a steady stream of batches allocates nothing. What all tables keep
 * together is bounded.
 */
export class BuilderPool {
  readonly #columns: readonly BlockColumn[];
  readonly #budget: MemoryBudget;
  /** The most bytes each builder ever held: its memory grows with them and never shrinks. */
  readonly #most = new WeakMap<BlockBuilder, number>();
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
    const bytes = Math.max(builder.bytes, this.#most.get(builder) ?? 0);
    if (!this.#budget.keep(bytes)) return;
    this.#most.set(builder, bytes);
    builder.clear();
    this.#free.push({ builder, bytes });
  }
}
