/** A table that may lose its oldest rows to make room. */
export interface Droppable {
  /** Monotonic milliseconds when its oldest row that can still be dropped was taken; undefined if it has none. */
  readonly oldestAt: number | undefined;
  /** Gives false if it had none after all. */
  dropOldest(reason: "memory_full"): boolean;
}

/** Bytes of encoded rows that all tables together hold, against their common limit. */
export class MemoryBudget {
  readonly max: number;
  readonly #droppable: Droppable[] = [];
  #used = 0;
  #kept = 0;

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    return this.#used;
  }

  get full(): boolean {
    return this.#used >= this.max;
  }

  /** Takes bytes, or gives them back when negative. */
  add(bytes: number): void {
    this.#used += bytes;
  }

  /** Whether so many bytes of memory without rows may be kept for later: a quarter of the limit in all. */
  keep(bytes: number): boolean {
    if (this.#kept + bytes > this.max / 4) return false;
    this.#kept += bytes;
    return true;
  }

  /** Kept memory is in use again, or gone. */
  unkeep(bytes: number): void {
    this.#kept -= bytes;
  }

  /** From now on the table may be asked to drop rows. */
  mayDrop(table: Droppable): void {
    this.#droppable.push(table);
  }

  /** Drops the oldest best-effort rows of any table until there is room; false if there still is none. */
  makeRoom(): boolean {
    const droppable = new Set(this.#droppable);
    while (this.full) {
      let oldest: Droppable | undefined;
      for (const table of droppable) {
        if (table.oldestAt === undefined) continue;
        if (oldest?.oldestAt === undefined || table.oldestAt < oldest.oldestAt) oldest = table;
      }
      if (oldest === undefined) return false;
      if (!oldest.dropOldest("memory_full")) droppable.delete(oldest);
    }
    return true;
  }
}
