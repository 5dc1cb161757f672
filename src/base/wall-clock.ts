/** Further than this from the host's clock, the anchor follows it: that clock itself counts in whole milliseconds. */
const DRIFT_MAX_MS = 2;
const CHECK_MS = 1000;

/**
 * The time of day in microseconds, for the price of a monotonic clock: the host's own counts in milliseconds and may go
 * back. Looks at the host's clock each second and follows when that has gone its own way.
 */
export class WallClock {
  #anchorMs: number = Date.now() - performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#follow(), CHECK_MS);
    this.#timer.unref();
  }

  /** Microseconds since the Unix epoch. */
  now(): number {
    return Math.round((this.#anchorMs + performance.now()) * 1000);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #follow(): void {
    const anchorMs = Date.now() - performance.now();
    if (Math.abs(anchorMs - this.#anchorMs) > DRIFT_MAX_MS) this.#anchorMs = anchorMs;
  }
}
