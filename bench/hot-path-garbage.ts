import assert from "node:assert/strict";
import { PerformanceObserver } from "node:perf_hooks";
import { CALLS, type CallName, compilePlain, emptyCall, type Take } from "./hot-path-calls.js";
import { withRecorder } from "./hot-path-recorder.js";

/** What the rows of one kind leave for the collector of the calling thread. */
export interface Garbage {
  readonly call: string;
  /** Bytes of the heap that a row takes, the caller's object literal included; the same for a call that does nothing. */
  readonly bytes: number;
  readonly emptyBytes: number;
  /** Milliseconds of collections during a million rows. */
  readonly gcMs: number;
  readonly emptyGcMs: number;
}

/** So few that no collection begins while they are counted. */
const COUNTED_ROWS = 2_000;
const COUNTS = 5;
/** What a ring holds of any kind of row. */
const CHUNK_ROWS = 40_000;
const CHUNKS = 10;

/** Needs `--expose-gc`. */
export function measureGarbage(): Promise<Garbage[]> {
  return withRecorder(async ({ recorder }) => {
    const found: Garbage[] = [];
    const settle = (): Promise<void> => recorder.flush();
    for (const name of Object.keys(CALLS) as CallName[]) {
      const { what, literal, table } = CALLS[name];
      console.error(`garbage: ${what}`);
      const take = recorder.table(table as string).record as Take;
      const empty = await collect(literal, emptyCall, settle);
      const recorded = await collect(literal, take, settle);
      found.push({
        call: what,
        bytes: recorded.bytes,
        emptyBytes: empty.bytes,
        gcMs: recorded.gcMs,
        emptyGcMs: empty.gcMs,
      });
    }
    return found;
  });
}

async function collect(
  literal: string,
  take: Take,
  settle: () => Promise<void>,
): Promise<{ bytes: number; gcMs: number }> {
  const { gc } = globalThis;
  assert(gc !== undefined, "started with --expose-gc");
  const run = compilePlain(literal);
  let gcMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration;
  });
  run(take, CHUNK_ROWS);
  await settle();
  observer.observe({ entryTypes: ["gc"] });
  for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
    run(take, CHUNK_ROWS);
    await settle();
  }
  // Entries are told of on a later turn.
  await new Promise(setImmediate);
  observer.disconnect();
  let bytes = Infinity;
  for (let count = 0; count < COUNTS; count += 1) {
    gc();
    const before = process.memoryUsage().heapUsed;
    run(take, COUNTED_ROWS);
    bytes = Math.min(bytes, (process.memoryUsage().heapUsed - before) / COUNTED_ROWS);
    await settle();
  }
  return { bytes, gcMs: (gcMs / (CHUNKS * CHUNK_ROWS)) * 1e6 };
}
