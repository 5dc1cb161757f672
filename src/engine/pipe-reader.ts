import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * The reading end of a named pipe that the engine writes a result to. It is read one piece at a time and the pipe holds
 * 64 KiB, so a slow reader slows the engine down instead of filling memory.
 *
 * The engine may open the pipe never, once or, after an error, again, and an engine that opens a pipe without a reader
 * waits for one for ever. So a writing end of our own keeps the pipe from ending, and the reading end from closing,
 * until the statement is over. An engine that waits to write can not be cancelled, hence {@link discard}.
 */
export class PipeReader {
  readonly #socket: Socket;
  readonly #writer: number;
  #piece: Buffer | undefined;
  #isDiscarding = false;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(path: string) {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.pause();
    this.#socket.on("data", (piece: Buffer) => {
      if (this.#isDiscarding) return;
      this.#piece = piece;
      this.#socket.pause();
      this.#wake();
    });
    // Follows the end as well as an error, which a pipe of this process does not have.
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The next piece; undefined at the end, or once pieces are discarded. */
  async next(): Promise<Buffer | undefined> {
    if (this.#piece === undefined && !this.#isOver) {
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#piece;
    this.#piece = undefined;
    return piece;
  }

  /** Reads on to the end and throws away. */
  discard(): void {
    this.#isDiscarding = true;
    this.#piece = undefined;
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
