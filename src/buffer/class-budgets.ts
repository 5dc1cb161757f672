import { MemoryBudget } from "./memory-budget.js";

/** The memory of all tables, and what those of each class may take of it. */
export interface ClassBudgets {
  readonly all: MemoryBudget;
  readonly critical: MemoryBudget;
  readonly best_effort: MemoryBudget;
}

/**
 * @param max bytes of all rows
 * @param waiting bytes of these that are for rows which wait for the log's disk alone, counted elsewhere
 * @param reserve share of all that only critical tables may take, that room included
 */
export function classBudgets(max: number, waiting: number, reserve: number): ClassBudgets {
  const all = new MemoryBudget(max - waiting);
  return {
    all,
    critical: new MemoryBudget(all.max, all),
    best_effort: new MemoryBudget(Math.min(all.max, max * (1 - reserve)), all),
  };
}

/** Bytes of encoded rows that are held, no less than the most that ever were, and the limit: `docs/internals/sink.md` says what passes it. */
export interface MemoryStats {
  readonly used: number;
  readonly peak: number;
  readonly max: number;
}

/** @param waiting rows that wait for the log's disk, which the budgets leave out */
export function memoryOf(
  { used, peak, max }: MemoryBudget,
  waiting: { readonly bytes: number; readonly peak: number; readonly max: number } | undefined,
): MemoryStats {
  if (waiting === undefined) return { used, peak, max };
  return { used: used + waiting.bytes, peak: peak + waiting.peak, max: max + waiting.max };
}
