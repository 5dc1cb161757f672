import { parentPort, workerData } from "node:worker_threads";
import type { Micros } from "../../src/native/micros.js";
import { RingConsumer } from "../../src/ring/consumer.js";
import type { RecordLayout } from "../../src/ring/layout.js";

const { buffer, layouts, rows } = workerData as {
  buffer: SharedArrayBuffer;
  layouts: readonly RecordLayout[];
  rows: number;
};
const consumer = new RingConsumer(buffer, layouts);
const wrong: string[] = [];
let next = 0;

function check(row: Readonly<Record<string, unknown>>): boolean {
  const number = next;
  next += 1;
  const sizes = number % 3 === 0 ? [number, number + 1, number + 2] : undefined;
  const good =
    (row["ts"] as Micros).micros === 1_700_000_000_000_000 + number &&
    row["symbol"] === `S${number % 10}` &&
    row["px"] === number * 0.5 &&
    String(row["sizes"]) === String(sizes) &&
    row["id"] === "i".repeat(number % 23) + number &&
    row["n3"] === -number;
  if (!good && wrong.length < 5) wrong.push(JSON.stringify({ number, row }));
  return true;
}

while (next < rows) {
  consumer.drain(Infinity, (_, row) => check(row));
  consumer.release(consumer.position);
}
parentPort!.postMessage({ rows: next, wrong });
