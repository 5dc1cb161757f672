import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { upTo } from "../sink/rig.js";
import { until } from "../support/until.js";
import { startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const BACKLOG = 1_000_000;
/** Each 20 ms. */
const LIVE = 20;

test("no row that is taken while a backlog of a million rows is replayed waits for a third of it", async (t) => {
  const place = await rig.place();
  const recorder = await place.open({ memory: { max: 2 ** 26 } });
  await rig.proxy.refuse();
  for (let id = 0; id < BACKLOG; id += 2000) {
    place.offer(
      recorder,
      upTo(2000).map((i) => id + i),
    );
    await recorder.durable();
  }
  assert.deepEqual(recorder.stats().wal?.behind, [place.name]);
  await rig.proxy.accept();
  await until("ClickHouse is found again", () => recorder.stats().link.state !== "down");
  const storedIn: Promise<number>[] = [];
  const began = performance.now();
  const pending = (): number => recorder.stats().wal!.pending[place.name]!;
  for (let id = BACKLOG; pending() > BACKLOG / 20; id += LIVE) {
    place.offer(
      recorder,
      upTo(LIVE - 1).map((i) => id + i),
    );
    const at = performance.now();
    const last = id + LIVE - 1;
    const ticket = recorder.table(place.name).offer({ ts: BigInt(Date.now()) * 1_000_000n, id: last })!;
    place.ledger.set(last, 1);
    storedIn.push(ticket.stored.then(() => performance.now() - at));
    await delay(20);
  }
  const seconds = (performance.now() - began) / 1000;
  const ms = (await Promise.all(storedIn)).sort((a, b) => a - b);
  const at = (share: number): number => Math.round(ms[Math.floor(share * (ms.length - 1))]!);
  t.diagnostic(
    `${seconds.toFixed(1)} s; ${ms.length} rows: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} ms`,
  );
  await recorder.flush();
  await place.check();
  assert.ok(at(1) < (seconds * 1000) / 3, `one took ${at(1)} ms of ${seconds.toFixed(1)} s`);
});
