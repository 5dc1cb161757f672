import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { Told } from "../live/recent-events.js";
import type { RecorderEvent } from "../recorder.js";

const WINDOW_MS: number = 10 * SECOND_MS;

/** Fields that tell one trouble from another; in all others the repeats of one differ. */
const SAME: readonly string[] = ["table", "class", "code", "reason", "path"];

/** What can come with every row or batch while something is wrong. Changes of state are rare, and each is told. */
const OFTEN: ReadonlySet<string> = new Set<RecorderEvent["kind"]>([
  "retry",
  "dead_lettered",
  "dead_letter_damaged",
  "dead_letters_failed",
  "dropped",
  "data_gap",
  "request_dumped",
  "dump_failed",
  "overflow_failed",
  "clash_unknown",
  "wal_unreadable",
  "wal_cursor_failed",
  "wal_not_trimmed",
  "spool_unreadable",
  "spool_cursor_failed",
]);

interface Held {
  latest: Told | undefined;
  repeated: number;
  readonly cancel: () => void;
}

/** Writes the first of equal lines at once, and those of the next ten seconds as one, with how many they were. */
export class Repeats {
  readonly #write: (told: Told) => void;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock, write: (told: Told) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  tell(told: Told): void {
    if (!OFTEN.has(told.kind)) {
      this.#write(told);
      return;
    }
    const key = JSON.stringify([told.kind, ...SAME.map((field) => told.fields[field])]);
    const held = this.#held.get(key);
    if (held === undefined) {
      this.#write(told);
      this.#begin(key);
      return;
    }
    held.latest = told;
    held.repeated += 1;
  }

  /** Writes what is held back: at the end nothing is lost. */
  flush(): void {
    for (const held of this.#held.values()) {
      held.cancel();
      this.#writeHeld(held);
    }
    this.#held.clear();
  }

  #begin(key: string): void {
    const cancel = this.#clock.after(WINDOW_MS, () => this.#end(key));
    this.#held.set(key, { latest: undefined, repeated: 0, cancel });
  }

  #end(key: string): void {
    const held = this.#held.get(key)!;
    this.#held.delete(key);
    if (held.latest === undefined) return;
    this.#writeHeld(held);
    // It goes on, so the next line of it is not the first.
    this.#begin(key);
  }

  #writeHeld({ latest, repeated }: Held): void {
    if (latest === undefined) return;
    this.#write({ ...latest, fields: { ...latest.fields, repeated } });
  }
}
