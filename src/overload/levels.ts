import assert from "node:assert";

/** When a level is entered and left again. */
export interface Thresholds {
  /** Pressure from which on it holds. */
  readonly enter: number;
  /** Pressure below which it may be left; less than `enter`. */
  readonly leave: number;
  /** Milliseconds since the last change, at least, before it is left. */
  readonly stay: number;
}

/** Another level holds from now on; 0 is normal, level n that of the n-th step. */
export interface LevelChange {
  readonly from: number;
  readonly to: number;
}

/** A level that was entered again soon after it was left is held longer each time, up to so many times its stay. */
const PATIENCE_MAX = 8;

/**
 * The level of a table: up at once, as many steps as the pressure asks for; down step by step, each after the level's stay. A step up
 * soon after one down doubles the stay of the next one down, so that on average there is at most one reversal in the shortest stay.
 */
export class Levels {
  #steps: readonly Thresholds[];
  #index = 0;
  #changedAt: number;
  #hasFallen = false;
  #patience = 1;
  #changes = 0;

  /**
   * @param steps gentlest first, their `enter` rising
   * @param now monotonic milliseconds, as in all methods
   */
  constructor(steps: readonly Thresholds[], now: number) {
    this.#steps = steps;
    this.#changedAt = now;
  }

  get index(): number {
    return this.#index;
  }

  /** How often it has changed. */
  get changes(): number {
    return this.#changes;
  }

  /** Gives the change that this pressure makes, if it makes one. */
  look(pressure: number, now: number): LevelChange | undefined {
    let to = this.#steps.length;
    while (to > this.#index && this.#steps[to - 1]!.enter > pressure) to -= 1;
    if (to > this.#index) return this.force(to, now);
    const step = this.#steps[this.#index - 1];
    if (step === undefined || pressure >= step.leave) return undefined;
    if (now - this.#changedAt < step.stay * this.#patience) return undefined;
    // Two steps down in a row: the trouble is over, or was never there.
    if (this.#hasFallen) this.#patience = Math.max(1, this.#patience / 2);
    return this.#become(this.#index - 1, now);
  }

  /** Other steps from now on, up or down at once to the level that this pressure asks for. */
  setSteps(steps: readonly Thresholds[], pressure: number, now: number): LevelChange | undefined {
    this.#steps = steps;
    const to = steps.filter(({ enter }) => enter <= pressure).length;
    return to === this.#index ? undefined : this.#become(to, now);
  }

  /** Up to a level whatever the pressure is. */
  force(to: number, now: number): LevelChange {
    assert(to > this.#index && to <= this.#steps.length, "up to a level that there is");
    const isSoon = this.#hasFallen && now - this.#changedAt < this.#steps[to - 1]!.stay;
    if (isSoon) this.#patience = Math.min(PATIENCE_MAX, this.#patience * 2);
    else if (this.#hasFallen) this.#patience = 1;
    return this.#become(to, now);
  }

  #become(to: number, now: number): LevelChange {
    const from = this.#index;
    this.#index = to;
    this.#changedAt = now;
    this.#hasFallen = to < from;
    this.#changes += 1;
    return { from, to };
  }
}
