/** Bytes that the bodies of all requests together may hold. */
export class BodyMemory {
  readonly max: number;
  #used = 0;

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    return this.#used;
  }

  /** False, and nothing taken, if there is no room for so many bytes. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.max) return false;
    this.#used += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}

/** One request's body: its chunks are charged as they come and given back as they are taken. */
export class HeldBody {
  readonly #memory: BodyMemory;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** False if there is no room for the chunk. */
  add(chunk: Buffer): boolean {
    if (!this.#memory.take(chunk.length)) return false;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  /** What was read, in order. */
  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Hands out the chunks in order and lets go of each once the next one is asked for. */
  *drain(): Generator<Buffer> {
    const chunks = this.#chunks.reverse();
    for (let chunk = chunks.at(-1); chunk !== undefined; chunk = chunks.at(-1)) {
      yield chunk;
      chunks.pop();
      this.#giveBack(chunk.length);
    }
  }

  /** Lets go of whatever is left. */
  release(): void {
    this.#chunks = [];
    this.#giveBack(this.#bytes);
  }

  #giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#memory.giveBack(bytes);
  }
}
