import type { ServerResponse } from "node:http";
import { KIB } from "../base/units.js";

/** Readers at once: more are told to come again later. */
const STREAMS_MAX = 1000;
/** What one of them may leave unread; all of them share the bytes, so that many slow ones cost no more than one. */
const UNREAD_MAX: number = 256 * KIB;

/** One message of a stream, written once for all readers. */
export type Frame = Buffer;

/** `event:`, `id:` and `data:` of the format of server-sent events. */
export function frameOf(event: string, data: unknown, id?: number): Frame {
  const head = id === undefined ? `event: ${event}\n` : `event: ${event}\nid: ${id}\n`;
  return Buffer.from(`${head}data: ${JSON.stringify(data)}\n\n`);
}

/** Readers of server-sent events. One that does not keep up is cut off: it comes again and says what it has seen. */
export class EventStreams {
  readonly #responses = new Set<ServerResponse>();

  get isFull(): boolean {
    return this.#responses.size >= STREAMS_MAX;
  }

  get isEmpty(): boolean {
    return this.#responses.size === 0;
  }

  /** @param first what this reader is given before all others' messages */
  open(response: ServerResponse, first: readonly Frame[]): void {
    response.on("close", () => this.#responses.delete(response));
    // A connection that breaks closes the response, too.
    response.on("error", () => response.destroy());
    this.#responses.add(response);
    for (const frame of first) this.#write(response, frame);
  }

  send(frame: Frame): void {
    for (const response of this.#responses) this.#write(response, frame);
  }

  close(): void {
    for (const response of this.#responses) response.end();
  }

  #write(response: ServerResponse, frame: Frame): void {
    if (response.writableLength > UNREAD_MAX) response.destroy();
    else response.write(frame);
  }
}
