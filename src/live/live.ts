import { type Clock, systemClock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { RecorderStats } from "../recorder.js";
import { History, type HistoryPoint, SAMPLE_SECONDS } from "./history.js";
import { Landing, type NotLanding } from "./landing.js";
import { type Look, lookAt, pointBetween, type Rates, ratesBetween } from "./look.js";

/** How the recorder stands, and the rows a second on each edge of the pipeline. */
export interface LiveReport extends RecorderStats {
  /** Of the last two seconds or somewhat more. */
  readonly rates: Rates;
  /** Tables whose rows wait while none is stored, for longer than `conditions.landing`. */
  readonly notLanding: readonly NotLanding[];
}

export interface LiveOptions {
  readonly stats: () => RecorderStats;
  /** Seconds that rows may wait while none of their table is stored, before that is told. */
  readonly landingSeconds: () => number;
  /** For tests. */
  readonly clock?: Clock;
}

export interface LiveListener {
  /** Called each second. */
  status(): void;
  /** Called every five seconds. */
  sample(point: HistoryPoint): void;
}

/** Rates are taken over so many looks, one a second: the flush of a quiet table is not a row now and none then. */
const RATE_LOOKS = 2;

/** Looks at a recorder once a second, and remembers an hour of it: the same memory whatever happens, and nothing on the way of a row. */
export class Live {
  readonly history: History = new History();
  readonly #options: LiveOptions;
  readonly #clock: Clock;
  readonly #landing = new Landing();
  readonly #listeners = new Set<LiveListener>();
  /** Oldest first. */
  readonly #looks: Look[];
  #sampled: Look;
  #cancel: (() => void) | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sampled = lookAt(options.stats(), this.#now);
    this.#looks = [this.#sampled];
    this.#wait();
  }

  get report(): LiveReport {
    const rates = ratesBetween(this.#looks.at(-1)!, this.#looks[0]!);
    return { ...this.#options.stats(), rates, notLanding: this.notLanding };
  }

  get notLanding(): readonly NotLanding[] {
    return this.#landing.longerThan(this.#options.landingSeconds());
  }

  /** The function returned takes it back. */
  watch(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(SECOND_MS, () => {
      this.#wait();
      this.#look();
    });
  }

  #look(): void {
    const stats = this.#options.stats();
    const look = lookAt(stats, this.#now);
    this.#landing.look(stats, look);
    this.#looks.push(look);
    if (this.#looks.length > RATE_LOOKS + 1) this.#looks.shift();
    for (const listener of this.#listeners) listener.status();
    // A timer may strike somewhat early by the other clock.
    if (look.at - this.#sampled.at < SAMPLE_SECONDS - 0.5) return;
    const point = pointBetween(look, this.#sampled, stats, this.#clock.wall() / SECOND_MS);
    this.#sampled = look;
    this.history.add(point);
    for (const listener of this.#listeners) listener.sample(point);
  }

  /** Monotonic seconds. */
  get #now(): number {
    return this.#clock.monotonic() / SECOND_MS;
  }
}
