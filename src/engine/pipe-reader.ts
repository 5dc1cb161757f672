import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * The reading end of a named pipe that the engine writes a result to. The pipe holds 64 KiB, so a slow reader slows the
 * engine down instead of filling memory.
 *
 * The reading end must stay open until the engine's statement is over: an engine that opens a pipe without a reader
 * waits for one for ever.
 */
export class PipeReader {
  readonly #path: string;
  readonly #socket: Socket;

  constructor(path: string) {
    this.#path = path;
    this.#socket = new Socket({
      fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
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

  /** The statement is over: what is still in the pipe comes, then its end, even if the engine never opened it. */
  finish(): void {
    try {
      closeSync(openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      // No reader: the end was already read and the reading end closed.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
