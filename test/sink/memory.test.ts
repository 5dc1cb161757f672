import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../../src/base/clock.js";
import { MIB } from "../../src/base/units.js";
import { answers, html, resetAfterStore } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { NOON, startRig } from "./rig.js";

const rig = await startRig({ after });

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use by this process's JavaScript, buffers included, after a collection. */
async function used(): Promise<number> {
  // What was settled a moment ago may still be on its way out.
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate);
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test("memory is flat over many batches, retries included", async () => {
  const recording = await rig.open({
    clock: systemClock,
    table: { flush: { rows: 1000, bytes: 2 ** 20, age: 60_000 }, queue: { rows: 8000 } },
    report: () => {},
  });
  const writer = recording.recorder.table(recording.name);
  const batches = async (count: number): Promise<void> => {
    for (let batch = 0; batch < count; batch += 1) {
      if (batch % 20 === 0) rig.proxy.on({}, batch % 40 === 0 ? resetAfterStore : answers(html(503)));
      for (let id = 0; id < 1000; id += 1) {
        if (writer.full) await writer.room();
        writer.offer({ ts: NOON, id }, { source: "memory", seq: id });
      }
    }
    await recording.recorder.flush();
    // The proxy and the rig remember what they saw: that is theirs.
    rig.proxy.requests.length = 0;
    rig.proxy.clear();
    recording.events.length = 0;
  };
  await batches(60);
  const before = await used();
  await batches(140);
  const grown = (await used()) - before;
  assert.equal(recording.stats().stored, 200_000);
  assert.equal(recording.recorder.stats().memory.used, 0);
  // 140 batches were 10 MB on the wire.
  assert.ok(grown < 2 * MIB, `grown by ${(grown / MIB).toFixed(2)} MiB`);
});

test("memory that is full is passed by the bodies of two requests, which make room, and by no more", async () => {
  const max = 4 * MIB;
  const flush = { rows: 100_000, bytes: MIB / 4, age: 20 };
  const recording = await rig.open({
    clock: systemClock,
    memory: { max },
    table: { class: "best_effort", durability: "memory", flush, queue: { rows: 1_000_000 } },
    report: () => {},
  });
  const { recorder, name } = recording;
  const writer = recorder.table(name);
  await rig.proxy.refuse();
  writer.offer({ ts: NOON, id: 0 });
  await until("the link is down", () => recorder.stats().link.state === "down");
  for (let id = 1; !writer.full; id += 1) writer.offer({ ts: NOON, id });
  // Rows are looked at after each 64 KiB.
  const filled = recorder.stats().memory.peak;
  assert.ok(filled >= max && filled < max + MIB / 16, `${filled} of ${max}`);
  await rig.proxy.accept();
  await recorder.flush();
  const { peak, used } = recorder.stats().memory;
  const body = Math.max(...rig.proxy.requests.map((request) => request.body.length));
  assert.ok(body < max / 7, `a batch is an eighth of the memory at most: ${body}`);
  assert.ok(peak <= filled + 2 * body, `${peak} of ${filled} and twice ${body}`);
  assert.equal(used, 0);
});
