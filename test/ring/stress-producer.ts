import { parentPort, workerData } from "node:worker_threads";
import { us } from "../../src/native/instant-number.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { RingProducer } from "../../src/ring/producer.js";

/** Records `rows` rows that their number determines, as fast as the ring takes them. */
const { buffer, layouts, rows, start } = workerData as {
  buffer: SharedArrayBuffer;
  layouts: readonly RecordLayout[];
  rows: number;
  start: number;
};
const producer = new RingProducer({ buffer, layouts, reserve: 0, now: () => start });
const record = producer.recordOf("ticks");
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let full = 0;
for (let row = 0; row < rows; ) {
  const taken = record({
    ts: us(start + row),
    symbol: `S${row % 10}`,
    px: row * 0.5,
    sizes: row % 3 === 0 ? [row, row + 1, row + 2] : undefined,
    id: "i".repeat(row % 23) + row,
    n3: -row,
  });
  if (taken) row += 1;
  else {
    full += 1;
    // On a machine with few cores the consumer needs this one.
    if (full % 1000 === 0) Atomics.wait(sleeper, 0, 0, 0.1);
  }
}
parentPort!.postMessage(full);
