import type { LinkState } from "../sink/events.js";

/** How full a ring is. */
export interface RingSign {
  /** Share of the room for rows of best-effort tables that is taken by rows which wait. */
  readonly filled: number;
  /** The same of the part of it in which rows wait for a table that is full, before any of its rows is dropped. */
  readonly waiting: number;
}

/** What can be seen of one table's load. */
export interface Signs {
  /** Where its rows come from rings; of the fullest. */
  readonly ring: RingSign | undefined;
  /** Share of the queue that its rows take. */
  readonly queue: number;
  /** Share of the memory for tables of its class that is used, beside what is being sent. */
  readonly memory: number;
  /** Milliseconds for which its oldest row could have been stored, and was not. */
  readonly lateMs: number;
  /** Milliseconds that count as late altogether. */
  readonly lateMax: number;
  readonly link: LinkState;
  /** Factor by which batches are larger than configured because ClickHouse has too many parts, 1 to 8. */
  readonly stretch: number;
}

/** What each sign says by itself, from 0 (nothing) to 1. */
interface PressureInputs {
  readonly ring: number;
  readonly queue: number;
  readonly memory: number;
  readonly freshness: number;
  readonly link: number;
  readonly parts: number;
}

export type PressureCause = keyof PressureInputs;

/** How hard pressed a table is: 0 not at all, at 1 rows have no room. */
export interface Pressure {
  readonly value: number;
  /** The input that the value comes from. */
  readonly cause: PressureCause;
  readonly inputs: PressureInputs;
}

/** Rows that are late have room still: reason to thin out, none to drop. */
const FRESHNESS_MOST = 0.85;
/** Keeps a level from being left while nothing flows, and is none to enter one. */
const LINK: Readonly<Record<LinkState, number>> = { up: 0, degraded: 0.3, recovering: 0.3, down: 0.55 };
/** With batches eight times as large; fewer rows make fewer parts only where rows close them. */
const PARTS_MOST = 0.72;
const STRETCH_DOUBLINGS = 3;

/**
 * Where rows can wait in rings, a table that is full is this hard pressed while they are empty: it loses nothing. Half of the room there is for
 * rows that come while the thread stands still, as at full speed it does for some ten milliseconds again and again.
 */
const FULL_BEHIND_RING = 0.4;

/** The hardest of all signs. */
export function pressureOf(signs: Signs): Pressure {
  const { ring } = signs;
  const behind = (usage: number): number =>
    ring === undefined ? usage : FULL_BEHIND_RING * usage + (1 - FULL_BEHIND_RING) * ring.waiting;
  const inputs: PressureInputs = {
    ring: ring?.filled ?? 0,
    queue: behind(Math.min(1, signs.queue)),
    memory: behind(signs.memory),
    freshness: FRESHNESS_MOST * Math.min(1, signs.lateMs / signs.lateMax),
    link: LINK[signs.link],
    parts: (PARTS_MOST * Math.log2(signs.stretch)) / STRETCH_DOUBLINGS,
  };
  let cause: PressureCause = "ring";
  for (const each of Object.keys(inputs) as PressureCause[]) if (inputs[each] > inputs[cause]) cause = each;
  return { value: inputs[cause], cause, inputs };
}

/** Milliseconds in which what is remembered of a peak halves. */
const HALF_LIFE_MS = 250;

/** Follows a value up at once and down slowly: a queue that is emptied batch by batch has room only for a moment. */
export class Peak {
  #value = 0;
  #at = 0;

  /** @param now monotonic milliseconds */
  of(value: number, now: number): number {
    this.#value = Math.max(value, this.#value * 0.5 ** ((now - this.#at) / HALF_LIFE_MS));
    this.#at = now;
    return this.#value;
  }
}

/** The least of a value of late: a ring that filled while its thread stood still is emptied in no time, and was no overload. */
export class Lasting {
  readonly #ms: number;
  #seen: { readonly at: number; readonly value: number }[] = [];

  /** @param ms for which a value is to be seen before it counts */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** @param now monotonic milliseconds */
  of(value: number, now: number): number {
    this.#seen.push({ at: now, value });
    while (this.#seen.length > 1 && this.#seen[1]!.at <= now - this.#ms) this.#seen.shift();
    if (this.#seen[0]!.at > now - this.#ms) return 0;
    return Math.min(...this.#seen.map((each) => each.value));
  }
}
