import type { BookUpdate, VenueEvent } from "./adapter.js";
import { Book, type Top } from "./book.js";

/** Changes of one symbol that wait for a snapshot to be fetched; more of them start again from none. */
const WAITING_MAX = 10_000;

export interface BookCounts {
  /** Changes that did not follow the state of the book: it is unknown from there until the next snapshot. */
  gaps: number;
  /** Updates older than the book: duplicates, those that came out of order, and snapshots fetched without need. */
  stale: number;
  /** Changes to a book that was not known; numbered ones wait for a snapshot to be fetched. */
  early: number;
  /** Changes after which the best bid was no lower than the best ask; stored as they are. */
  crossed: number;
}

interface Kept {
  readonly book: Book;
  /** What was stored last. */
  shown: Top;
  /** Changes to a book that is not known yet. */
  waiting: BookUpdate[];
}

/** The books of a feed: turns what venues send of them into rows, one for each update that changes the best levels. */
export class Books {
  readonly counts: BookCounts = { gaps: 0, stale: 0, early: 0, crossed: 0 };
  readonly #depth: number;
  readonly #books = new Map<string, Kept>();

  /** @param depth levels of each side that are stored */
  constructor(depth: number) {
    this.#depth = depth;
  }

  /** @returns the new depth if the best levels changed, an event of the system if something is missing, or nothing */
  take(update: BookUpdate): readonly VenueEvent[] {
    let kept = this.#books.get(update.symbol);
    if (kept === undefined) {
      kept = { book: new Book(), shown: { bids: [], asks: [] }, waiting: [] };
      this.#books.set(update.symbol, kept);
    }
    if (update.action !== "change") return this.#load(kept, update);
    if (kept.book.isKnown) return this.#change(kept, update);
    this.#wait(kept, update);
    return [];
  }

  #load(kept: Kept, update: BookUpdate): readonly VenueEvent[] {
    const { book, waiting } = kept;
    // Asked for without need: what the stream says is newer.
    if (update.action === "fetched" && book.isPast(update)) return this.#stale();
    kept.waiting = [];
    book.load(update);
    if (update.action === "snapshot") return this.#show(kept, update);
    // Fetched beside the stream, so changes that came before it may be newer. No message said what it says now: no row.
    for (const [index, change] of waiting.entries()) {
      if (book.step(change) !== "gap") continue;
      kept.waiting = waiting.slice(index);
      return [this.#gap(change)];
    }
    return [];
  }

  #change(kept: Kept, update: BookUpdate): readonly VenueEvent[] {
    const step = kept.book.step(update);
    if (step === "applied") return this.#show(kept, update);
    if (step === "stale") return this.#stale();
    this.#wait(kept, update);
    return [this.#gap(update)];
  }

  #stale(): readonly VenueEvent[] {
    this.counts.stale += 1;
    return [];
  }

  /** Without numbers nothing tells which changes a later snapshot holds already. */
  #wait({ waiting }: Kept, update: BookUpdate): void {
    this.counts.early += 1;
    if (waiting.length === WAITING_MAX) waiting.length = 0;
    if (update.last !== undefined) waiting.push(update);
  }

  #gap({ venue, symbol, ts_local, last, previous }: BookUpdate): VenueEvent {
    this.counts.gaps += 1;
    const numbers = last === undefined ? {} : { last: String(last), previous: String(previous ?? "") };
    return {
      type: "system_event",
      ts: ts_local,
      kind: "data_gap",
      severity: "warning",
      component: venue,
      message: `${symbol}: updates of the book are missing; no depth until the next snapshot`,
      attributes: { table: "market_data", symbol, kind: "depth", reason: "venue", ...numbers },
    };
  }

  #show(kept: Kept, update: BookUpdate): readonly VenueEvent[] {
    const { venue, symbol, ts_exchange, ts_local, last } = update;
    if (kept.book.isCrossed) this.counts.crossed += 1;
    const top = kept.book.top(this.#depth);
    if (isSameTop(top, kept.shown)) return [];
    kept.shown = top;
    return [
      {
        type: "depth",
        ...(ts_exchange === undefined ? {} : { ts_exchange }),
        ts_local,
        symbol,
        bids: top.bids,
        asks: top.asks,
        venue,
        ...(last === undefined ? {} : { exchange_seq: last }),
      },
    ];
  }
}

function isSameTop(one: Top, other: Top): boolean {
  return isSameSide(one.bids, other.bids) && isSameSide(one.asks, other.asks);
}

function isSameSide(one: Top["bids"], other: Top["bids"]): boolean {
  if (one.length !== other.length) return false;
  for (const [index, [px, sz]] of one.entries()) {
    const [otherPx, otherSz] = other[index]!;
    if (px !== otherPx || sz !== otherSz) return false;
  }
  return true;
}
