/** A byte stream whose beginning can be looked at before it is read. */
export class ReadAhead implements AsyncIterable<Buffer> {
  readonly #iterator: AsyncIterator<Buffer>;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  /** The first bytes, fewer if the stream ends or fails before; a failure is thrown to the one who reads that far. */
  async peek(count: number): Promise<Buffer> {
    try {
      while (this.#heldBytes < count && !this.#ended) {
        const next = await this.#iterator.next();
        if (next.done === true) {
          this.#ended = true;
        } else {
          this.#held.push(next.value);
          this.#heldBytes += next.value.length;
        }
      }
    } catch (error) {
      this.#failure = { error };
      this.#ended = true;
    }
    return Buffer.concat(this.#held).subarray(0, count);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const held = this.#held;
    this.#held = [];
    try {
      yield* held;
      while (!this.#ended) {
        const next = await this.#iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      await this.#iterator.return?.();
    }
  }
}
