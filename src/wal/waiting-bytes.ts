/** Bytes of rows that were taken and are not on disk yet, of all tables with a log together. */
export class WaitingBytes {
  readonly max: number;
  #bytes = 0;

  constructor(max: number) {
    this.max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#bytes >= this.max;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
