import { setTimeout as delay } from "node:timers/promises";
import { withRecorder } from "./hot-path-recorder.js";
import { dueAt, type Latency, latencyOf } from "./wal-disk.js";
import { recordRow } from "./wal-rows.js";

const WARM_SECONDS = 2;

/** From the moment an order was meant to be recorded until `durable()` said that it is on disk, while ClickHouse stores what was logged before. */
export function measureLatency(rowsPerSecond: number, seconds: number): Promise<Latency> {
  return withRecorder(async ({ recorder }) => {
    const record = recordRow(recorder, "orders");
    const rows = rowsPerSecond * (seconds + WARM_SECONDS);
    const times = new Float64Array(rows);
    const open = new Set<Promise<void>>();
    const begun = performance.now();
    for (let recorded = 0; recorded < rows; ) {
      const now = performance.now() - begun;
      const from = recorded;
      while (recorded < rows && dueAt(recorded, rowsPerSecond) <= now) {
        if (!record(recorded)) throw new Error(`the ring is full at ${rowsPerSecond} rows a second`);
        recorded += 1;
      }
      if (recorded > from) {
        const to = recorded;
        const safe = recorder.durable().then(() => {
          const at = performance.now() - begun;
          for (let row = from; row < to; row += 1) times[row] = at - dueAt(row, rowsPerSecond);
        });
        open.add(safe);
        void safe.then(() => open.delete(safe));
      }
      await delay(1);
    }
    await Promise.all(open);
    return latencyOf(rowsPerSecond, times.subarray(rowsPerSecond * WARM_SECONDS));
  });
}
