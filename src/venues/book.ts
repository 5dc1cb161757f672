import type { BookUpdate, LevelChange } from "./adapter.js";
import { BookSide, type Level } from "./book-side.js";

/** The best levels of both sides. */
export interface Top {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** What became of a change: applied, older than the book, or not what comes next after the book's state. */
export type Step = "applied" | "stale" | "gap";

/** The book of one symbol, from a snapshot and the changes after it. */
export class Book {
  readonly #bids = new BookSide("bids");
  readonly #asks = new BookSide("asks");
  /** Price of each level that has a name. */
  readonly #prices = new Map<string, string>();
  /** Number of the state; undefined if the venue has none. */
  #last: bigint | undefined;
  /** A change was applied since the snapshot. */
  #isBridged = false;
  /** False until there is a snapshot, and again after a gap. */
  isKnown = false;

  get isCrossed(): boolean {
    const [bid, ask] = [this.#bids.best, this.#asks.best];
    return bid !== undefined && ask !== undefined && bid >= ask;
  }

  top(depth: number): Top {
    return { bids: this.#bids.top(depth), asks: this.#asks.top(depth) };
  }

  /** True of an update that is no newer than what is known. */
  isPast({ last }: BookUpdate): boolean {
    return this.isKnown && this.#last !== undefined && last !== undefined && last <= this.#last;
  }

  /** Takes a snapshot in place of all that was. */
  load(update: BookUpdate): void {
    this.#bids.clear();
    this.#asks.clear();
    this.#prices.clear();
    this.isKnown = this.#put(update);
    this.#last = update.last;
    this.#isBridged = false;
  }

  /** Applies a change if it is the next. After a gap the book is not known until there is a snapshot. */
  step(update: BookUpdate): Step {
    const { last, previous } = update;
    if (this.isPast(update)) return "stale";
    if (this.#last !== undefined && last !== undefined) {
      // The first change after a snapshot may begin before it: levels are set, not added to.
      const isNext = this.#isBridged ? previous === this.#last : (previous ?? 0n) <= this.#last;
      if (previous !== undefined && !isNext) this.isKnown = false;
    }
    this.isKnown &&= this.#put(update);
    if (!this.isKnown) return "gap";
    this.#last = last;
    this.#isBridged = true;
    return "applied";
  }

  /** False if a level is named that nothing is known of. */
  #put({ bids, asks }: BookUpdate): boolean {
    return this.#putSide(this.#bids, bids) && this.#putSide(this.#asks, asks);
  }

  #putSide(side: BookSide, levels: readonly LevelChange[]): boolean {
    for (const { px: given, sz, id } of levels) {
      const px = given ?? this.#prices.get(id ?? "");
      if (px === undefined) return false;
      if (id !== undefined) {
        if (Number(sz) === 0) this.#prices.delete(id);
        else this.#prices.set(id, px);
      }
      side.set(px, sz);
    }
    return true;
  }
}
