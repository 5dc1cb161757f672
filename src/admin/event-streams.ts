import type { ServerResponse } from "node:http";
import { KIB } from "../base/units.js";

/** Readers at once: more are told to come again later. */
const STREAMS_MAX = 1000;
/** What one of them may leave unread beside a state; all of them share the bytes, so that many slow ones cost no more than one. */
const UNREAD_MAX: number = 256 * KIB;
/** One that leaves more than this unread misses states, until so many in a row that it is taken for gone. */
const BEHIND: number = 64 * KIB;
const MISSED_MAX = 30;

/** One message of a stream, written once for all readers. */
export type Frame = Buffer;

/** `event:`, `id:` and `data:` of the format of server-sent events. */
export function frameOf(event: string, data: unknown, id?: number): Frame {
  const head = id === undefined ? `event: ${event}\n` : `event: ${event}\nid: ${id}\n`;
  return Buffer.from(`${head}data: ${JSON.stringify(data)}\n\n`);
}

/** Readers of server-sent events. One that does not keep up is cut off: it comes again and says what it has seen. */
export class EventStreams {
  /** And the states that each has missed in a row. */
  readonly #readers = new Map<ServerResponse, number>();
  #stateBytes = 0;

  get isFull(): boolean {
    return this.#readers.size >= STREAMS_MAX;
  }

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  /** @param first what this reader is given before all others' messages */
  open(response: ServerResponse, first: readonly Frame[]): void {
    response.on("close", () => this.#readers.delete(response));
    // A connection that breaks closes the response, too.
    response.on("error", () => response.destroy());
    this.#readers.set(response, 0);
    for (const frame of first) response.write(frame);
  }

  /** Sends what each reader is to have. */
  send(frame: Frame): void {
    for (const response of this.#readers.keys()) {
      if (response.writableLength > UNREAD_MAX + this.#stateBytes) response.destroy();
      else response.write(frame);
    }
  }

  /** Sends how things stand: of many tables that is much, so that a slow reader gets as many states as it can read. */
  sendState(frame: Frame): void {
    this.#stateBytes = frame.length;
    for (const [response, missed] of this.#readers) {
      if (response.writableLength <= BEHIND) {
        this.#readers.set(response, 0);
        response.write(frame);
      } else if (missed < MISSED_MAX) this.#readers.set(response, missed + 1);
      else response.destroy();
    }
  }

  close(): void {
    for (const response of this.#readers.keys()) response.end();
  }
}
