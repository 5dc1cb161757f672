import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * The reading end of a named pipe that the engine writes a result to. The pipe holds 64 KiB, so a slow reader slows the
 * engine down instead of filling memory.
 *
 * The engine may open the pipe never, once or, after an error, again, and an engine that opens a pipe without a reader
 * waits for one for ever. So a writing end of our own keeps the pipe from ending, and the reading end from closing,
 * until the statement is over.
 */
export class PipeReader {
  readonly #socket: Socket;
  readonly #writer: number;

  constructor(path: string) {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    // Read errors end the iteration below; this keeps one after it from being fatal.
    this.#socket.on("error", () => {});
  }

  /** What comes through the pipe. Leaving the iteration does not close the pipe. */
  chunks(): AsyncIterableIterator<Buffer> {
    return this.#socket.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  }

  /** Reads on and throws away. */
  discard(): void {
    this.#socket.resume();
  }

  /** The statement is over: what is still in the pipe comes, then its end. Called once. */
  finish(): void {
    closeSync(this.#writer);
  }

  close(): void {
    this.#socket.destroy();
  }
}
