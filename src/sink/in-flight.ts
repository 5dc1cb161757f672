/** Counts requests under way and makes the others wait their turn, first come first served. */
export class InFlight {
  /** How many may be under way at this moment. */
  readonly #max: () => number;
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  constructor(max: () => number) {
    this.#max = max;
  }

  /** Resolves with the way out, to be called once. Rejects if the signal is aborted before. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0 && this.#count < this.#max()) this.#count += 1;
    else await this.#turn(signal);
    return () => {
      this.#count -= 1;
      this.wake();
    };
  }

  /** To be called when the maximum has grown. */
  wake(): void {
    while (this.#waiting.length > 0 && this.#count < this.#max()) {
      // Counted here and not when the waiter runs on, or another could slip in between.
      this.#count += 1;
      this.#waiting.shift()!();
    }
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
