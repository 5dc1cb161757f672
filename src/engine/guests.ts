import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Connections without the password that are kept; a usual client opens ten. */
const GUESTS_MAX = 256;

/**
 * Connections over which nobody has shown the password yet. Too many of them cost the oldest its place, never an owner:
 * whoever opens connections and keeps them waiting shuts out himself.
 */
export class Guests {
  readonly #sockets = new Set<Socket>();

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (this.#sockets.size <= GUESTS_MAX) return;
      const [oldest] = this.#sockets;
      oldest!.destroy();
    });
  }

  /** The connection's user has shown the password. */
  letIn(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
