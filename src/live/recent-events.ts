import type { RecorderEvent } from "../recorder.js";

/** How much an event asks for: warn is to be known, error is to be looked after. */
export type EventLevel = "debug" | "info" | "warn" | "error";

/** Something that happened, as the admin API tells it. */
export interface RecentEvent {
  /** Rises from event to event, over restarts too as long as the host's clock does. */
  readonly id: number;
  /** Unix seconds. */
  readonly at: number;
  readonly level: EventLevel;
  readonly kind: string;
  /** One line for people. */
  readonly message: string;
  /** What the line of the log tells, by name. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Of an event that is not known as recent yet. */
export interface Told {
  readonly kind: RecorderEvent["kind"] | "admin" | "reload";
  readonly level: EventLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const KEPT = 200;

/** The last events, for whoever comes and asks what has happened. */
export class RecentEvents {
  readonly #wall: () => number;
  readonly #listeners = new Set<(event: RecentEvent) => void>();
  #events: RecentEvent[] = [];
  #nextId: number;

  /** @param wall milliseconds since the Unix epoch */
  constructor(wall: () => number = Date.now) {
    this.#wall = wall;
    // Room for a thousand events a millisecond, so that ids of the start before are lower.
    this.#nextId = Math.floor(wall()) * 1000;
  }

  add({ kind, level, message, fields }: Told): void {
    const event = { id: this.#nextId, at: this.#wall() / 1000, level, kind, message, fields };
    this.#nextId += 1;
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events = this.#events.slice(-KEPT);
    for (const listener of this.#listeners) listener(event);
  }

  /** Newest last. */
  get all(): readonly RecentEvent[] {
    return this.#events;
  }

  /** What came after the event with that id. */
  since(id: number): readonly RecentEvent[] {
    // An id that was never given out is of a start whose clock was ahead: nothing is known to be old.
    return id >= this.#nextId ? this.#events : this.#events.filter((event) => event.id > id);
  }

  /** Told of each event as it happens; the function returned takes that back. */
  watch(listener: (event: RecentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
