import type { LinkState } from "../sink/events.js";

/** What can be seen of one table's load. */
export interface Signs {
  /** Share of the room in the fullest ring that rows wait in. */
  readonly ring: number;
  /** Share of the queue that its rows take. */
  readonly queue: number;
  /** Share of the memory that tables of its class may take, and do. */
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

type PressureCause = keyof PressureInputs;

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
const LINK: Readonly<Record<LinkState, number>> = { up: 0, degraded: 0.3, recovering: 0.3, down: 0.45 };
/** With batches eight times as large; fewer rows make fewer parts only where rows close them. */
const PARTS_MOST = 0.6;
const STRETCH_DOUBLINGS = 3;

/** The hardest of all signs. */
export function pressureOf(signs: Signs): Pressure {
  const inputs: PressureInputs = {
    ring: signs.ring,
    queue: signs.queue,
    memory: signs.memory,
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
