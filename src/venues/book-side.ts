/** Price and size, digits as the venue wrote them. */
export type Level = readonly [px: string, sz: string];

/** One side of a book: its levels in the order of their prices. */
export class BookSide {
  /** 1 where a higher price is better, -1 where a lower one is. */
  readonly #sign: 1 | -1;
  /** Rising, so that the best level is the last: most changes are near it, and few elements move. */
  readonly #keys: number[] = [];
  readonly #levels: Level[] = [];

  constructor(side: "bids" | "asks") {
    this.#sign = side === "bids" ? 1 : -1;
  }

  /** Levels there are. */
  get size(): number {
    return this.#levels.length;
  }

  /** Best price; undefined if there is none. */
  get best(): number | undefined {
    const key = this.#keys.at(-1);
    return key === undefined ? undefined : key * this.#sign;
  }

  /** Sets a level, or removes it if the size is 0. */
  set(px: string, sz: string): void {
    const key = Number(px) * this.#sign;
    const at = this.#placeOf(key);
    const isThere = this.#keys[at] === key;
    if (Number(sz) === 0) {
      if (!isThere) return;
      this.#keys.splice(at, 1);
      this.#levels.splice(at, 1);
    } else if (isThere) {
      this.#levels[at] = [px, sz];
    } else {
      this.#keys.splice(at, 0, key);
      this.#levels.splice(at, 0, [px, sz]);
    }
  }

  clear(): void {
    this.#keys.length = 0;
    this.#levels.length = 0;
  }

  /** The best levels, best first. */
  top(depth: number): readonly Level[] {
    return this.#levels.slice(-depth).reverse();
  }

  /** Where a key is, or belongs. */
  #placeOf(key: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
