import { createGunzip, type Gunzip } from "node:zlib";
import { KIB } from "../base/units.js";

/**
 * Compressed bytes inflated at a time. What a damaged piece held is lost with it, so a small file goes in small ones;
 * larger ones are faster. At the worst ratio of 1030:1 a piece becomes 4 MiB.
 */
const FIRST_PIECE_BYTES = 512;
const PIECE_BYTES: number = 4 * KIB;
const OUTPUT_BYTES: number = 64 * KIB;

/**
 * Inflates a gzip stream of one or more members. Zeros behind a member are padding, anything else there is damage. What was decoded before a truncation or damage is yielded first, then
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
  #gunzip: Gunzip;
  /** True behind a member that zeros follow. */
  #isPadding = false;
  #step: Promise<void> = Promise.resolve();
  /** Settles the step under way; after a failure the stream never calls the callback of its write. */
  #fail: (error: Error) => void = () => {};
  decoded: Buffer[] = [];

  constructor() {
    this.#gunzip = this.#open();
  }

  write(bytes: Buffer): void {
    this.#start((done) => this.#inflate(bytes, done));
  }

  /** Fails if the last member is not complete. */
  end(): void {
    this.#start((done) => {
      if (this.#isPadding) done();
      else this.#gunzip.once("end", done).end();
    });
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

  /** Node ends the stream at a zero behind a member, leaves the rest of that write and may never call it done. */
  #inflate(bytes: Buffer, done: () => void): void {
    const begin = this.#isPadding ? bytes.findIndex((byte) => byte !== 0) : 0;
    if (begin < 0) {
      done();
      return;
    }
    if (this.#isPadding) this.#gunzip = this.#open();
    this.#isPadding = false;
    const gunzip = this.#gunzip;
    const before = gunzip.bytesWritten;
    const onEnd = (): void => {
      this.#isPadding = true;
      this.#inflate(bytes.subarray(begin + gunzip.bytesWritten - before), done);
    };
    gunzip.once("end", onEnd);
    gunzip.write(bytes.subarray(begin), () => {
      gunzip.off("end", onEnd);
      if (!gunzip.readableEnded) done();
    });
  }

  #open(): Gunzip {
    return createGunzip({ chunkSize: OUTPUT_BYTES })
      .on("data", (bytes: Buffer) => this.decoded.push(bytes))
      .on("error", (error) => this.#fail(error));
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
