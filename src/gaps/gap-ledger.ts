import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { Gap } from "./gap.js";
import { type GapTotals, GapWindow, placeKey } from "./gap-window.js";
import type { Written } from "./notes.js";

/** A row tells of at most so much time. */
const WINDOW_MS: number = 10 * SECOND_MS;

export interface GapLedgerOptions {
  readonly clock: Clock;
  /** Writes one gap down; undefined if there is no room for it now. */
  readonly write: (totals: GapTotals) => Written | undefined;
}

/**
 * What is missing, added up by table, reason and level, and written down every ten seconds, so that an overload of a day is some
 * thousand rows and one of a second is one. A gap that finds no room to be written waits for the next time.
 */
export class GapLedger {
  readonly #options: GapLedgerOptions;
  readonly #sources: (() => Iterable<Gap>)[] = [];
  readonly #windows = new Map<string, GapWindow>();
  /** Written, and not on disk yet. */
  readonly #unsafe = new Set<GapWindow>();
  #cancelTimer: (() => void) | undefined;
  #isWatching = false;
  #isClosed = false;

  constructor(options: GapLedgerOptions) {
    this.#options = options;
  }

  /** Asked for what it has counted each time before gaps are written. It calls {@link expect} when it begins to count. */
  addSource(source: () => Iterable<Gap>): void {
    this.#sources.push(source);
  }

  /** As {@link addSource}, for one that does not know when it begins: it is asked every ten seconds. */
  watch(source: () => Iterable<Gap>): void {
    this.#isWatching = true;
    this.addSource(source);
    this.expect();
  }

  add(gap: Gap): void {
    if (gap.rows === 0) return;
    this.#take(gap);
    // What made a thread die may make the next one die before ten seconds are over, again and again.
    if (this.#isClosed || gap.reason === "pipeline_died") this.flush();
    this.expect();
  }

  /** Rows of a table that are missing and nowhere written down for good: nobody would tell of them if the thread died now. */
  untoldOf(table: string): number {
    let rows = 0;
    for (const window of this.#windows.values()) rows += window.untoldOf(table);
    for (const window of this.#unsafe) rows += window.untoldOf(table);
    return rows;
  }

  /** Something is being counted: it will be written in ten seconds. */
  expect(): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#options.clock.after(WINDOW_MS, () => {
      this.#cancelTimer = undefined;
      this.flush();
    });
  }

  /** Writes all gaps down now. */
  flush(): void {
    for (const source of this.#sources) for (const gap of source()) if (gap.rows > 0) this.#take(gap);
    for (const [key, window] of [...this.#windows]) {
      // Room for a row may be made by dropping others, which adds gaps, and by another level, which has gaps written.
      if (this.#windows.get(key) !== window) continue;
      this.#windows.delete(key);
      const written = this.#options.write(window.totals());
      if (written === undefined) this.#putBack(key, window);
      else this.#await(window, written);
    }
    if ((this.#windows.size > 0 || this.#isWatching) && !this.#isClosed) this.expect();
  }

  /** What is added from now on is written at once. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.flush();
  }

  #await(window: GapWindow, { durable }: Written): void {
    this.#unsafe.add(window);
    durable.then(
      () => {
        this.#unsafe.delete(window);
        window.told();
      },
      // The recorder closed before the log took it, which its report tells.
      () => {},
    );
  }

  #putBack(key: string, window: GapWindow): void {
    const since = this.#windows.get(key);
    if (since !== undefined) window.join(since);
    this.#windows.set(key, window);
  }

  #take(gap: Gap): void {
    const place = { table: gap.table, reason: gap.reason, level: gap.level, run: gap.run };
    const key = placeKey(place);
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = new GapWindow(place);
      this.#windows.set(key, window);
    }
    window.add(gap);
  }
}
