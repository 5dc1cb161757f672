import { createGunzip } from "node:zlib";
import { KIB } from "../base/units.js";

/**
 * Compressed bytes inflated at a time. What a damaged piece held is lost with it, so a small file goes in small ones;
 * larger ones are faster. At the worst ratio of 1030:1 a piece becomes 4 MiB.
 */
const FIRST_PIECE_BYTES = 512;
const PIECE_BYTES: number = 4 * KIB;
const OUTPUT_BYTES: number = 64 * KIB;

/**
 * Inflates a gzip stream of one or more members. What was decoded before a truncation or damage is yielded first, then
 * the error is thrown; a plain `pipe` would discard what is still buffered at that moment.
 */
export async function* gunzip(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflater = new Inflater();
  let piece = FIRST_PIECE_BYTES;
  try {
    for await (const chunk of compressed) {
      for (let from = 0; from < chunk.length; from += piece) {
        const ready = await inflater.take();
        // The next piece inflates on the thread pool while the caller works on this one.
        inflater.write(chunk.subarray(from, from + piece));
        yield* ready;
      }
      piece = PIECE_BYTES;
    }
    yield* await inflater.take();
    inflater.end();
    yield* await inflater.take();
  } catch (error) {
    yield* inflater.decoded;
    throw error;
  } finally {
    inflater.destroy();
  }
}

/** Node's gunzip with one step at a time: write, then take what came of it. */
class Inflater {
  readonly #gunzip = createGunzip({ chunkSize: OUTPUT_BYTES });
  #step: Promise<void> = Promise.resolve();
  /** Settles the step under way; after a failure the stream never calls the callback of its write. */
  #fail: (error: Error) => void = () => {};
  decoded: Buffer[] = [];

  constructor() {
    this.#gunzip.on("data", (bytes: Buffer) => this.decoded.push(bytes));
    this.#gunzip.on("error", (error) => this.#fail(error));
  }

  write(bytes: Buffer): void {
    this.#start((done) => this.#gunzip.write(bytes, done));
  }

  /** Fails if the last member is not complete. */
  end(): void {
    this.#start((done) => this.#gunzip.once("end", done).end());
  }

  /** Waits for the step under way and hands out what it decoded. */
  async take(): Promise<Buffer[]> {
    await this.#step;
    const decoded = this.decoded;
    this.decoded = [];
    return decoded;
  }

  destroy(): void {
    this.#gunzip.destroy();
  }

  #start(begin: (done: () => void) => void): void {
    this.#step = new Promise((resolve, reject) => {
      this.#fail = reject;
      begin(resolve);
    });
    // The rejection is seen by the next take; until then it must not count as unhandled.
    this.#step.catch(() => {});
  }
}
