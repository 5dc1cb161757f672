/** Bytes of rows that were taken and are not on disk yet, of all tables with a log together. */
export class WaitingBytes {
  readonly max: number;
  #bytes = 0;
  #peak = 0;

  constructor(max: number) {
    this.max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The most that there ever were. */
  get peak(): number {
    return this.#peak;
  }

  get full(): boolean {
    return this.#bytes >= this.max;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#peak) this.#peak = this.#bytes;
  }
}
