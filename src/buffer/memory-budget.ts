/** A table that may lose its oldest rows to make room. */
export interface Droppable {
  /** Monotonic milliseconds when its oldest row that can still be dropped was taken; undefined if it has none. */
  readonly oldestAt: number | undefined;
  /** Gives false if it had none after all. */
  dropOldest(reason: "memory_full"): boolean;
}

/** Bytes of encoded rows that tables together hold, against their common limit. */
export class MemoryBudget {
  readonly max: number;
  readonly #whole: MemoryBudget | undefined;
  readonly #droppable: Droppable[] = [];
  #used = 0;
  #peak = 0;
  #sending = 0;
  #kept = 0;

  /** @param whole another one that all of this counts to; what it leaves out of that is for others alone */
  constructor(max: number, whole?: MemoryBudget) {
    this.max = max;
    this.#whole = whole;
  }

  get used(): number {
    return this.#used;
  }

  /** The most that was ever used. */
  get peak(): number {
    return this.#peak;
  }

  get full(): boolean {
    return this.#used >= this.max || this.#whole?.full === true;
  }

  /**
   * Share of the room beside what is being sent that is used: of its own, or of what it is a part of, whichever is nearer to its limit. At
   * full speed most of the memory is on its way to ClickHouse, and comes back by itself.
   */
  get usage(): number {
    const own = this.full ? 1 : (this.#used - this.#sending) / (this.max - this.#sending);
    return Math.max(own, this.#whole?.usage ?? 0);
  }

  /** So many of the bytes taken are being sent from now on, or no longer when negative. */
  send(bytes: number): void {
    this.#sending += bytes;
    this.#whole?.send(bytes);
  }

  /** Takes bytes, or gives them back when negative. */
  add(bytes: number): void {
    this.#used += bytes;
    if (this.#used > this.#peak) this.#peak = this.#used;
    this.#whole?.add(bytes);
  }

  /** Whether so many bytes of memory without rows may be kept for later: a quarter of the limit in all. */
  keep(bytes: number): boolean {
    if (this.#whole !== undefined) return this.#whole.keep(bytes);
    if (this.#kept + bytes > this.max / 4) return false;
    this.#kept += bytes;
    return true;
  }

  /** Kept memory is in use again, or gone. */
  unkeep(bytes: number): void {
    if (this.#whole !== undefined) this.#whole.unkeep(bytes);
    else this.#kept -= bytes;
  }

  /** From now on the table may be asked to drop rows. */
  mayDrop(table: Droppable): void {
    this.#droppable.push(table);
    this.#whole?.mayDrop(table);
  }

  /** Drops the oldest best-effort rows of any table until there is room; false if there still is none. */
  makeRoom(): boolean {
    if (this.#whole !== undefined && !this.#whole.makeRoom()) return false;
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
