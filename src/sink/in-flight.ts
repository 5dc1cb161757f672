/** Counts requests under way and makes the others wait their turn, first come first served. */
export class InFlight {
  /** How many may be under way at this moment. */
  readonly #max: () => number;
  readonly #waiting: (() => void)[] = [];
  #drained: (() => void)[] = [];
  #holders = 0;
  #count = 0;

  constructor(max: () => number) {
    this.#max = max;
  }

  /** Resolves with the way out, to be called once. Rejects if the signal is aborted before. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0 && this.#isRoom) this.#count += 1;
    else await this.#turn(signal);
    return () => {
      this.#count -= 1;
      if (this.#count === 0) for (const resolve of this.#drained.splice(0)) resolve();
      this.wake();
    };
  }

  /**
   * Lets nobody in any more and resolves when nobody is in, with the way to go on, to be called once. Rejects, and goes on, if
   * the signal is aborted before.
   */
  async drain(signal: AbortSignal): Promise<() => void> {
    this.#holders += 1;
    const goOn = (): void => {
      this.#holders -= 1;
      this.wake();
    };
    try {
      if (this.#count > 0) await this.#empty(signal);
    } catch (error) {
      goOn();
      throw error;
    }
    return goOn;
  }

  /** To be called when the maximum has grown. */
  wake(): void {
    while (this.#waiting.length > 0 && this.#isRoom) {
      // Counted here and not when the waiter runs on, or another could slip in between.
      this.#count += 1;
      this.#waiting.shift()!();
    }
  }

  get #isRoom(): boolean {
    return this.#holders === 0 && this.#count < this.#max();
  }

  #empty(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#drained.push(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        reject(signal.reason);
      };
      const wake = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(wake);
    });
  }
}
