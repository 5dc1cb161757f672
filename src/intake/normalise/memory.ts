/** What is known of one order or fill. */
export class Entry {
  readonly values: Record<string, unknown> = {};
  readonly keys: string[] = [];
  /** Nothing more is expected of it. */
  isFinished = false;
  /** Neighbours in its {@link Queue}. */
  older: Entry | undefined;
  newer: Entry | undefined;
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
  readonly #byKey = new Map<string, Entry[]>();
  readonly #live = new Queue();
  readonly #finished = new Queue();
  #size = 0;
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
    const found = this.#byKey.get(key)?.filter(agrees) ?? [];
    if (found.length <= 1) return found[0];
    const live = found.filter((entry) => !entry.isFinished);
    return live.length === 1 ? live[0] : undefined;
  }

  /** Keeps what is known, or a new entry, as the one used last; under these keys beside those it has. */
  keep(known: Entry | undefined, keys: readonly string[], isFinished: boolean): Entry {
    const entry = known ?? new Entry();
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
      const namesakes = this.#byKey.get(key);
      if (namesakes === undefined) this.#byKey.set(key, [entry]);
      else if (namesakes.push(entry) > NAMESAKES_MAX) this.#forget(namesakes[0]!);
    }
  }

  #forget(entry: Entry): void {
    this.#queueOf(entry).remove(entry);
    this.#size -= 1;
    if (!entry.isFinished) this.forgotten += 1;
    for (const key of entry.keys) {
      const left = this.#byKey.get(key)!.filter((each) => each !== entry);
      if (left.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    }
  }
}
