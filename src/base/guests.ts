import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Connections over which nobody has shown the secret yet. Too many of them cost the oldest its place, never an owner:
 * whoever opens connections and keeps them waiting shuts out himself.
 */
export class Guests {
  readonly #sockets = new Set<Socket>();

  /** @param max connections that are kept */
  constructor(server: Server, max: number) {
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (this.#sockets.size <= max) return;
      const [oldest] = this.#sockets;
      oldest!.destroy();
    });
  }

  /** The connection's user has shown the secret. */
  letIn(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
