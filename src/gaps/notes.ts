import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { Row } from "../native/block.js";

const RETRY_MS: number = SECOND_MS;
/** Those that wait; of more the first go, which the events have told. */
const WAITING_MAX = 10_000;

/** A row that was taken; it is safe once this resolves. */
export interface Written {
  readonly durable: Promise<void>;
}

/** What takes rows of `system_events`. */
export interface NoteTaker {
  /** Undefined if there is no room for it now. */
  note(row: Row): Written | undefined;
}

/** Where there is no such table there is nothing to wait for. */
const NOWHERE: Written = { durable: Promise.resolve() };

/** What the recorder writes down of itself, in order: while there is no room, as on a full disk, it waits. */
export class Notes {
  readonly #clock: Clock;
  readonly #taker: () => NoteTaker | undefined;
  readonly #waiting: Row[] = [];
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;
  #isFlushing = false;

  /** @param taker undefined if there is no such table: then nothing is written */
  constructor(clock: Clock, taker: () => NoteTaker | undefined) {
    this.#clock = clock;
    this.#taker = taker;
  }

  /** Writes a row now; undefined if there is no room for it. */
  write(row: Row): Written | undefined {
    if (this.#isClosed) return undefined;
    const taker = this.#taker();
    return taker === undefined ? NOWHERE : taker.note(row);
  }

  /** Writes a row as soon as there is room for it; not at all after {@link close}. */
  add(row: Row): void {
    if (this.#isClosed) return;
    this.#waiting.push(row);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#flush();
    if (this.#waiting.length > 0) this.#wait();
  }

  /** Tries once more, and never again. */
  close(): void {
    this.#cancelTimer?.();
    this.#flush();
    this.#isClosed = true;
  }

  #wait(): void {
    this.#cancelTimer ??= this.#clock.after(RETRY_MS, () => {
      this.#cancelTimer = undefined;
      this.#flush();
      if (this.#waiting.length > 0) this.#wait();
    });
  }

  #flush(): void {
    // Room for a row may be made by another level, which is another row: its turn comes behind.
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    const waiting = this.#waiting;
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift())
      if (this.write(row) === undefined) {
        waiting.unshift(row);
        break;
      }
    this.#isFlushing = false;
  }
}
