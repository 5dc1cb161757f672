import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Cuts a connection whose other side has stopped: a body that no longer comes, or an answer that is no longer taken.
 * Each holds a place that others wait for. A statement that takes long is no stall.
 *
 * @param stallMs milliseconds without a byte after which a connection is cut; noticed within half as many more
 */
export function cutStalled(request: IncomingMessage, response: ServerResponse, stallMs: number): void {
  const { socket } = request;
  let seen = -1;
  let quiet = 0;
  const look = (): void => {
    const isOwed = !request.complete || response.writableLength > 0;
    const moved = socket.bytesRead + socket.bytesWritten;
    quiet = isOwed && moved === seen ? quiet + 1 : 0;
    seen = moved;
    if (quiet > 1) socket.destroy();
  };
  const timer = setInterval(look, stallMs / 2);
  response.once("close", () => clearInterval(timer));
}
