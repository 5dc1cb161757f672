import type { Clock } from "../base/clock.js";
import { MINUTE_MS } from "../base/units.js";
import type { Row } from "../native/block.js";
import type { ConditionEvent, ConservationEvent } from "./events.js";
import { healthRow } from "./health-row.js";

/** What was told of one thing within its minute, and not written yet. */
interface Waiting {
  latest: { readonly event: ConditionEvent | ConservationEvent; readonly wall: number } | undefined;
  changes: number;
  readonly cancel: () => void;
}

/**
 * Conditions and sums that do not come out even, as rows: the first change at once, those of the minute after it as one row that tells
 * how it stands by then. So a condition that comes and goes each second is a row a minute.
 */
export class HealthNotes {
  readonly #clock: Clock;
  readonly #write: (row: Row) => void;
  readonly #waiting = new Map<string, Waiting>();
  #isClosed = false;

  constructor(clock: Clock, write: (row: Row) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  add(event: ConditionEvent | ConservationEvent): void {
    if (this.#isClosed) return;
    const key = `${event.kind === "condition" ? event.name : event.kind} ${event.table}`;
    const wall = this.#clock.wall();
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      this.#write(healthRow(event, wall, 1));
      this.#wait(key);
    } else {
      waiting.latest = { event, wall };
      waiting.changes += 1;
    }
  }

  /** Writes what waits. What is added after that is told by its event alone. */
  close(): void {
    this.#isClosed = true;
    for (const waiting of this.#waiting.values()) {
      waiting.cancel();
      this.#writeLatest(waiting);
    }
    this.#waiting.clear();
  }

  #wait(key: string): void {
    const cancel = this.#clock.after(MINUTE_MS, () => {
      const waiting = this.#waiting.get(key)!;
      this.#waiting.delete(key);
      if (this.#writeLatest(waiting)) this.#wait(key);
    });
    this.#waiting.set(key, { latest: undefined, changes: 0, cancel });
  }

  /** False if there was none. */
  #writeLatest({ latest, changes }: Waiting): boolean {
    if (latest === undefined) return false;
    this.#write(healthRow(latest.event, latest.wall, changes));
    return true;
  }
}
