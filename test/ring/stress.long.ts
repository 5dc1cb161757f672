import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Micros } from "../../src/native/micros.js";
import { RingConsumer } from "../../src/ring/consumer.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { HEAD_WORD, RingMemory, TAIL_WORD } from "../../src/ring/memory.js";
import { randomOf } from "../support/random.js";

const LAYOUTS: readonly RecordLayout[] = [
  {
    table: "ticks",
    critical: false,
    columns: [
      { name: "ts", kind: "time" },
      { name: "symbol", kind: "name" },
      { name: "px", kind: "number" },
      { name: "sizes", kind: "list", most: 3 },
      { name: "id", kind: "text" },
      { name: "n3", kind: "number" },
    ],
  },
];
const START = 1_700_000_000_000_000;

/** What is wrong with the row of this number, if anything is. */
function fault(row: Readonly<Record<string, unknown>>, number: number): string | undefined {
  const sizes = number % 3 === 0 ? [number, number + 1, number + 2] : undefined;
  const good =
    (row["ts"] as Micros).micros === START + number &&
    row["symbol"] === `S${number % 10}` &&
    row["px"] === number * 0.5 &&
    String(row["sizes"]) === String(sizes) &&
    row["id"] === "i".repeat(number % 23) + number &&
    row["n3"] === -number;
  return good ? undefined : JSON.stringify({ number, row });
}

for (const [cells, producers, rows] of [
  [64, 1, 200_000],
  [256, 2, 500_000],
  [4096, 3, 3_000_000],
  [65_536, 2, 10_000_000],
] as const)
  test(`${producers} threads record ${rows} rows each into rings of ${cells} cells: none is torn, lost or doubled`, {
    timeout: 900_000,
  }, async (context) => {
    const pick = randomOf(context);
    const rings = Array.from({ length: producers }, () => {
      const memory = RingMemory.create({ cells, texts: 16, textBytes: 256, tables: 1 });
      // Positions wrap in the middle of the run.
      const startAt = 0x7fff_ffff - pick.below(cells * 1000);
      memory.words[HEAD_WORD] = startAt;
      memory.words[TAIL_WORD] = startAt;
      memory.released[0] = startAt;
      return { memory, consumer: new RingConsumer(memory.buffer, LAYOUTS), next: 0 };
    });
    const workers = rings.map(
      ({ memory }) =>
        new Worker(new URL("./stress-producer.js", import.meta.url), {
          workerData: { buffer: memory.buffer, layouts: LAYOUTS, rows, start: START },
        }),
    );
    const full = Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0] as number));
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    let idle = 0;
    while (rings.some(({ next }) => next < rows)) {
      idle += 1;
      if (idle % 1000 === 0) Atomics.wait(sleeper, 0, 0, 0.1);
      for (const ring of rings) {
        // Now and then the consumer dies and another goes on, or a row has to wait.
        if (pick.below(1000) === 0) ring.consumer = new RingConsumer(ring.memory.buffer, LAYOUTS);
        let left = pick.below(100) === 0 ? pick.below(5) : Infinity;
        ring.consumer.drain(1 + pick.below(500), (_, row) => {
          left -= 1;
          if (left < 0) return false;
          const wrong = fault(row, ring.next);
          if (wrong !== undefined) assert.fail(wrong);
          ring.next += 1;
          idle = 0;
          return true;
        });
        // Now and then they are freed later.
        if (pick.below(4) > 0) ring.consumer.release(ring.consumer.position);
      }
      if (pick.below(200) === 0) await new Promise(setImmediate);
    }
    assert.ok(
      (await full).some((times) => times > 0),
      "the rings were full at times",
    );
    for (const { memory, consumer, next } of rings) {
      assert.equal(next, rows);
      consumer.release(consumer.position);
      assert.equal(consumer.usage, 0);
      assert.equal(memory.countersOf(0)[0], rows);
    }
  });
