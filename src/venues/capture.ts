import { MIB } from "../base/units.js";
import { type Line, LineSplitter } from "../intake/lines.js";
import { openSource } from "../intake/source-file.js";

/** A message as it was recorded from a venue's socket. */
export interface CapturedMessage {
  /** When it was received: nanoseconds since the Unix epoch. */
  readonly received: bigint;
  readonly text: string;
}

const LINE_BYTES_MAX: number = 16 * MIB;
const NANOS_DIGITS = 9;
/** `1723161255088169167 {…}` */
const NANOS = /^(\d{16,19}) (.*)$/s;
/** `1626992741.06217: {…}` */
const SECONDS = /^(\d{1,10})(?:\.(\d{1,9})\d*)?: (.*)$/s;
/** What a recorder notes of its connections and of what it sent: `wss://…`. */
const NOTE = /^wss?:\/\/|^\s*$/;
const NANOS_PER_MS = 1_000_000n;

/**
 * The messages of a capture, one a line, plain or gzip: `<nanoseconds> <message>`, `<seconds with decimals>: <message>`, or a message
 * alone, which counts as received with the one before it, the first now. A line that is no message is given as
 * one, to be counted by the feed that cannot read it.
 *
 * @throws ColdpathError INPUT_UNREADABLE
 */
export async function* readCapture(path: string): AsyncGenerator<CapturedMessage> {
  const stop = new AbortController();
  const source = await openSource({ path, signal: stop.signal });
  const lines = new LineSplitter(LINE_BYTES_MAX);
  let received = BigInt(Date.now()) * NANOS_PER_MS;
  function* messagesOf(some: readonly Line[]): Generator<CapturedMessage> {
    for (const line of some) {
      const text = typeof line === "string" ? line : line.raw.toString("latin1");
      if (NOTE.test(text)) continue;
      const message = parseLine(text, received);
      received = message.received;
      yield message;
    }
  }
  try {
    for await (const chunk of source.content) yield* messagesOf(lines.push(chunk));
    yield* messagesOf(lines.end());
  } finally {
    stop.abort();
  }
}

function parseLine(line: string, before: bigint): CapturedMessage {
  const nanos = NANOS.exec(line);
  if (nanos !== null) return { received: BigInt(nanos[1]!), text: nanos[2]! };
  const seconds = SECONDS.exec(line);
  if (seconds === null) return { received: before, text: line };
  const [, whole = "", fraction = "", text = ""] = seconds;
  return { received: BigInt(whole + fraction.padEnd(NANOS_DIGITS, "0")), text };
}
