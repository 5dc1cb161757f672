/** Pauses between tries: they double up to a limit, and a random half keeps many recorders from coming in step. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  #tries = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(firstMs: number, mostMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const full = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return full * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }
}
