/** What is known of one order or fill. */
export interface Entry {
  readonly values: Record<string, unknown>;
  readonly keys: Set<string>;
  /** Nothing more is expected of it. */
  isFinished: boolean;
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
  readonly #live = new Set<Entry>();
  readonly #finished = new Set<Entry>();
  /** Entries forgotten before they were finished. */
  forgotten = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#live.size + this.#finished.size;
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

  /** Keeps the entry under these keys and those it had, as the one used last. */
  keep(entry: Entry, keys: readonly string[]): void {
    this.#live.delete(entry);
    this.#finished.delete(entry);
    (entry.isFinished ? this.#finished : this.#live).add(entry);
    for (const key of keys) {
      if (entry.keys.has(key)) continue;
      entry.keys.add(key);
      const namesakes = this.#byKey.get(key);
      if (namesakes === undefined) this.#byKey.set(key, [entry]);
      else if (namesakes.push(entry) > NAMESAKES_MAX) this.#forget(namesakes[0]!);
    }
    if (this.size > this.#max) this.#forget(first(this.#finished) ?? first(this.#live)!);
  }

  #forget(entry: Entry): void {
    if (this.#live.delete(entry)) this.forgotten += 1;
    this.#finished.delete(entry);
    for (const key of entry.keys) {
      const left = this.#byKey.get(key)!.filter((each) => each !== entry);
      if (left.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    }
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value;
}
