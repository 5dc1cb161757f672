import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as breathe } from "node:timers/promises";
import type { Frame } from "../../src/wal/frame-queue.js";
import type { ReadRequest, ReadResult } from "../../src/wal/log-reader.js";
import { LostRows } from "../../src/wal/lost-rows.js";
import { ManualClock } from "../support/clock.js";
import { rows } from "./sample.js";

/** A log of ten frames of ten rows, read when the test says so. */
function lostOf(passed = Number.POSITIVE_INFINITY) {
  const pushed: Frame[] = [];
  const waiting: (() => void)[] = [];
  const frames = Array.from({ length: 10 }, (_, at) => ({
    ordinal: at + 1,
    place: { segment: 1, offset: at, length: 1 },
    record: rows(at * 10 + 1, 10),
  }));
  const lost = new LostRows({
    table: "trades",
    clock: new ManualClock(),
    reader: {
      next: ({ after, wanted }: ReadRequest): Promise<ReadResult> => {
        const found = frames.filter((frame) => frame.ordinal > after && wanted(frame));
        return new Promise((resolve) => {
          waiting.push(() =>
            resolve({
              frames: found.map((entry) => ({ entry, payload: entry.record.payload })),
              lastOrdinal: frames.length,
            }),
          );
        });
      },
    },
    synced: () => frames.length,
    passed: () => passed,
    hasRoom: () => true,
    push: (frame) => pushed.push(frame),
    onUnreadable: (message) => assert.fail(message),
    onDamaged: () => assert.fail("nothing is damaged"),
  });
  const read = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      run();
      await breathe();
    }
  };
  return { lost, pushed, read };
}

test("rows that are found lost while others are being read back come back, too", async () => {
  const { lost, pushed, read } = lostOf();
  lost.add(7n, [{ first: 31, last: 40 }]);
  lost.add(7n, [{ first: 11, last: 20 }]);
  await read();
  lost.add(7n, [{ first: 51, last: 60 }]);
  await read();
  assert.deepEqual(
    pushed.map(({ firstSeq }) => firstSeq),
    [31, 11, 51],
  );
});
