import type { TimeValue } from "../schemas/values.js";
import type { EventOf } from "../sdk/events.js";

/** What a venue's messages turn into: events that `recorder.events.record` takes as they are. */
export type VenueEvent = EventOf<"quote" | "depth" | "trade" | "order" | "fill" | "system_event">;

/** A level of a book as a venue sends it. */
export interface LevelChange {
  /** Digits as the venue wrote them; undefined if it names the level by `id` alone. */
  readonly px: string | undefined;
  /** Digits; 0 says that the level is gone. */
  readonly sz: string;
  /** The venue's name for the level, where it has one. */
  readonly id?: string;
}

/** A message about a book. Alone it is no row: see `Books`. */
export interface BookUpdate {
  readonly type: "book";
  readonly venue: string;
  readonly symbol: string;
  readonly ts_local: TimeValue;
  /** Absent if the venue gives no time. */
  readonly ts_exchange?: TimeValue;
  /** snapshot: all levels there are; fetched: the same, asked for beside the stream; change: levels that are different now. */
  readonly action: "snapshot" | "fetched" | "change";
  readonly bids: readonly LevelChange[];
  readonly asks: readonly LevelChange[];
  /** Number of the book's state after this update. Rises with each. */
  readonly last?: bigint;
  /** Number of the state that it builds on; absent if the venue does not tell. */
  readonly previous?: bigint;
}

/**
 * Reads one message of a venue: a pure function, so that it can be tested with a message and nothing else.
 *
 * @param message what `parseMessage` makes of the message's text: every number as its digits
 * @param received when the message arrived
 * @returns what it says; nothing for a message that needs no row, such as the answer to a subscription; undefined for
 * a message of an unknown kind
 * @throws LineError if a field is missing or no number
 */
export type Adapter = (
  message: unknown,
  received: TimeValue,
) => readonly (VenueEvent | BookUpdate)[] | undefined;
