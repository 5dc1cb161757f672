import { messageOf } from "../base/errors.js";
import { parseValue } from "../intake/json.js";
import { LineError } from "../intake/line-error.js";
import type { TimeValue } from "../schemas/values.js";
import type { Adapter, VenueEvent } from "./adapter.js";
import { type BookCounts, Books } from "./books.js";

/** A message that became nothing, and why. */
export interface FeedProblem {
  readonly kind: "broken" | "unknown";
  readonly message: string;
  /** As it came. */
  readonly text: string;
}

export interface FeedOptions {
  readonly adapter: Adapter;
  /** Levels of each side of a book that are stored; default 5. */
  readonly depth?: number;
  /** Told of each message that cannot be used. */
  readonly onProblem?: (problem: FeedProblem) => void;
}

export interface FeedCounts extends Readonly<BookCounts> {
  /** Messages read. */
  readonly messages: number;
  readonly events: number;
  /** Messages of a kind that the adapter does not know. */
  readonly unknown: number;
  /** Messages that are no JSON or lack what they must have, by what is wrong. */
  readonly broken: Readonly<Record<string, number>>;
}

const DEPTH = 5;

/** One connection to a venue: its messages in, events for the recorder out. A message that cannot be read costs itself. */
export class VenueFeed {
  readonly #adapter: Adapter;
  readonly #books: Books;
  readonly #onProblem: (problem: FeedProblem) => void;
  readonly #broken = new Map<string, number>();
  #messages = 0;
  #events = 0;
  #unknown = 0;

  constructor({ adapter, depth = DEPTH, onProblem = () => {} }: FeedOptions) {
    this.#adapter = adapter;
    this.#books = new Books(depth);
    this.#onProblem = onProblem;
  }

  /** What happened so far. */
  get counts(): FeedCounts {
    return {
      messages: this.#messages,
      events: this.#events,
      unknown: this.#unknown,
      broken: Object.fromEntries(this.#broken),
      ...this.#books.counts,
    };
  }

  /**
   * Reads a message. Never throws for what it holds.
   *
   * @param text as the socket gave it
   * @param received when it arrived, such as `ms(Date.now())`
   */
  read(text: string, received: TimeValue): readonly VenueEvent[] {
    this.#messages += 1;
    try {
      const items = this.#adapter(parseValue(text), received);
      if (items === undefined) {
        this.#unknown += 1;
        this.#onProblem({ kind: "unknown", message: "is of an unknown kind", text });
        return [];
      }
      const events = items.flatMap((item) => (item.type === "book" ? this.#books.take(item) : item));
      this.#events += events.length;
      return events;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#broken.set(error.reason, (this.#broken.get(error.reason) ?? 0) + 1);
      this.#onProblem({ kind: "broken", message: messageOf(error), text });
      return [];
    }
  }
}
