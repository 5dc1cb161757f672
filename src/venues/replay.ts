import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { VenueEvent } from "./adapter.js";
import type { CapturedMessage } from "./capture.js";
import type { VenueFeed } from "./feed.js";

/** Recorded messages and what reads them. */
export interface ReplaySource {
  readonly feed: VenueFeed;
  readonly messages: AsyncIterable<CapturedMessage>;
}

export interface ReplayOptions {
  /** 1: at the pace of the recording; 10: ten times as fast; Infinity: as fast as events are taken. */
  readonly speed: number;
  /** Told about once a second. */
  readonly onProgress?: (progress: ReplaySummary) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds that an event may be refused before the replay gives up; default 30 s. */
  readonly patienceMs?: number;
}

export interface ReplaySummary {
  readonly messages: number;
  readonly events: number;
  /** Events that were not taken at once, so that the replay waited. */
  readonly waits: number;
  readonly seconds: number;
  /** Most that an event came later than the pace asks for, milliseconds; 0 without a pace. */
  readonly behindMs: number;
}

/** Messages between two looks at the event loop. */
const TURN_MESSAGES = 512;
const FULL_WAIT_MS = 1;
const PATIENCE_MS: number = 30 * SECOND_MS;
const NANOS_PER_MS = 1_000_000n;

/**
 * Replays captures, merged by the times at which their messages were received, and waits where an event is not taken.
 *
 * @param record takes an event, false for not now: `recorder.events.record`
 * @throws ColdpathError QUEUE_FULL if an event is not taken for too long
 */
export async function replay(
  sources: readonly ReplaySource[],
  record: (event: VenueEvent) => boolean,
  { speed, onProgress, signal, patienceMs = PATIENCE_MS }: ReplayOptions,
): Promise<ReplaySummary> {
  const startedAt = performance.now();
  const told = { messages: 0, events: 0, waits: 0, behindMs: 0 };
  const summary = (): ReplaySummary => ({ ...told, seconds: (performance.now() - startedAt) / SECOND_MS });
  let progressAt = startedAt;
  let first: bigint | undefined;
  for await (const { source, message } of merged(sources)) {
    if (signal?.aborted === true) break;
    first ??= message.received;
    const dueAt = startedAt + Number((message.received - first) / NANOS_PER_MS) / speed;
    const early = dueAt - performance.now();
    if (early > 0) await sleep(Math.ceil(early));
    else if (told.messages % TURN_MESSAGES === 0) await nextTurn();
    for (const event of source.feed.read(message.text, message.received)) {
      if (!record(event)) {
        told.waits += 1;
        await untilTaken(record, event, patienceMs);
      }
      told.events += 1;
    }
    told.messages += 1;
    const now = performance.now();
    if (Number.isFinite(speed)) told.behindMs = Math.max(told.behindMs, now - dueAt);
    if (now - progressAt < SECOND_MS) continue;
    progressAt = now;
    onProgress?.(summary());
  }
  return summary();
}

async function untilTaken(
  record: (event: VenueEvent) => boolean,
  event: VenueEvent,
  patienceMs: number,
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  do {
    if (performance.now() > giveUpAt)
      throw new ColdpathError(
        "QUEUE_FULL",
        `an event of type ${event.type} was not taken for ${patienceMs} ms`,
      );
    await sleep(FULL_WAIT_MS);
  } while (!record(event));
}

/** The messages of all sources in the order of their times; those of one source stay in their own. */
async function* merged(
  sources: readonly ReplaySource[],
): AsyncGenerator<{ source: ReplaySource; message: CapturedMessage }> {
  const open: { source: ReplaySource; iterator: AsyncIterator<CapturedMessage>; message: CapturedMessage }[] =
    [];
  try {
    for (const source of sources) {
      const iterator = source.messages[Symbol.asyncIterator]();
      const { value, done } = await iterator.next();
      if (done !== true) open.push({ source, iterator, message: value });
    }
    while (open.length > 0) {
      let next = open[0]!;
      for (const each of open) if (each.message.received < next.message.received) next = each;
      yield next;
      const { value, done } = await next.iterator.next();
      if (done === true) open.splice(open.indexOf(next), 1);
      else next.message = value;
    }
  } finally {
    // Files of a replay that ends early are let go.
    for (const { iterator } of open) await iterator.return?.();
  }
}
