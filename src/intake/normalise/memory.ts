/** What is known of one order or fill. */
export class Entry {
  readonly values: Record<string, unknown> = {};
  readonly keys: string[] = [];
  /** Nothing more is expected of it. */
  isFinished = false;
  /** Neighbours in its {@link Queue}. */
  older: Entry | undefined;
  newer: Entry | undefined;

  /** As it was when it was made. The columns stay, as undefined: most entries have the same. */
  clear(): void {
    for (const column in this.values) this.values[column] = undefined;
    // One by one, which keeps the array's memory.
    while (this.keys.length > 0) this.keys.pop();
  }
}

/** Entries by their last use. Linked, since the first element of a Set whose first ones were deleted is slow to find. */
class Queue {
  oldest: Entry | undefined;
  #newest: Entry | undefined;

  add(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  remove(entry: Entry): void {
    if (entry.older === undefined) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}

/** Entries of one id that are told apart; with more, the oldest is forgotten. */
const NAMESAKES_MAX = 8;

/**
 * What earlier rows said of orders or fills, by their ids. Bounded: beyond its limit the entry that was used longest ago is
 * forgotten, finished ones first.
 */
export class Memory {
  readonly #max: number;
  /** An array where several have the key, which is rare. */
  readonly #byKey = new Map<string, Entry | Entry[]>();
  readonly #live = new Queue();
  readonly #finished = new Queue();
  #size = 0;
  /** The entry forgotten last, for the next one: at full speed old entries are what the collector has most to do with. */
  #spare: Entry | undefined;
  /** Entries forgotten before they were finished. */
  forgotten = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * The entry with this key that agrees; where several do, the one that is not finished; undefined where it is open which one is
   * meant.
   */
  find(key: string, agrees: (entry: Entry) => boolean): Entry | undefined {
    const found = this.#byKey.get(key);
    if (found === undefined) return undefined;
    if (found instanceof Entry) return agrees(found) ? found : undefined;
    const agreeing = found.filter(agrees);
    if (agreeing.length <= 1) return agreeing[0];
    const live = agreeing.filter((entry) => !entry.isFinished);
    return live.length === 1 ? live[0] : undefined;
  }

  /**
   * Keeps what is known, or a new entry, as the one used last; under these keys beside those it has. An entry that is forgotten for it is
   * another one's with the next call.
   */
  keep(known: Entry | undefined, keys: readonly string[], isFinished: boolean): Entry {
    const entry = known ?? this.#unused();
    if (known === undefined) this.#size += 1;
    else this.#queueOf(known).remove(known);
    entry.isFinished = isFinished;
    this.#queueOf(entry).add(entry);
    this.#index(entry, keys);
    if (this.#size > this.#max) this.#forget(this.#finished.oldest ?? this.#live.oldest!);
    return entry;
  }

  #queueOf({ isFinished }: Entry): Queue {
    return isFinished ? this.#finished : this.#live;
  }

  #index(entry: Entry, keys: readonly string[]): void {
    for (const key of keys) {
      if (entry.keys.includes(key)) continue;
      entry.keys.push(key);
      const known = this.#byKey.get(key);
      if (known === undefined) this.#byKey.set(key, entry);
      else if (known instanceof Entry) this.#byKey.set(key, [known, entry]);
      else if (known.push(entry) > NAMESAKES_MAX) this.#forget(known[0]!);
    }
  }

  #unused(): Entry {
    const entry = this.#spare ?? new Entry();
    this.#spare = undefined;
    entry.clear();
    return entry;
  }

  #forget(entry: Entry): void {
    this.#queueOf(entry).remove(entry);
    this.#size -= 1;
    if (!entry.isFinished) this.forgotten += 1;
    for (const key of entry.keys) {
      const known = this.#byKey.get(key)!;
      const left = known instanceof Entry ? [] : known.filter((each) => each !== entry);
      if (left.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    }
    this.#spare = entry;
  }
}
