import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { checkSums } from "../sink/rig.js";
import { until } from "../support/until.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { away, endlessEnd, ids, onDisk, spooled, untilSpooled } from "./spool-rig.js";

const rig = await startLogRig({ after });
afterEach(() => rig.proxy.accept());

test("rows of an outage wait on disk and not in memory, and are stored once each when ClickHouse is back", async () => {
  const place = await rig.place();
  const recorder = await place.open(...spooled(place));
  await away(rig.proxy, recorder, place, 0);
  for (let at = 1; at <= 30_000; at += 1000) {
    place.offer(recorder, ids(at, 1000));
    await until("room", () => recorder.stats().tables[place.name]!.pending.bytes < 2 ** 20);
  }
  await untilSpooled(recorder, place, 30_000);
  const stats = recorder.stats();
  assert.equal(stats.tables[place.name]!.pending.rows, 30_001);
  checkSums(stats.tables[place.name]!);
  await until("little memory", () => recorder.stats().memory.used < 2 ** 14);
  await rig.proxy.accept();
  place.offer(recorder, ids(30_001, 500));
  await recorder.flush();
  await place.check();
  assert.equal(onDisk(recorder, place), 0);
  const { stored, dropped, inherited } = recorder.stats().tables[place.name]!;
  assert.deepEqual([stored, dropped, inherited.stored], [30_501, {}, 0]);
  assert.ok(place.events.some(({ kind }) => kind === "spool_emptied"));
  assert.ok(!place.events.some(({ kind }) => kind === "conservation"));
});

for (const order of ["oldest_first", "newest_first"] as const)
  test(`what an earlier start left in the spool is asked for and stored, ${order}`, async () => {
    const place = await rig.place();
    const [options, table] = spooled(place, { order });
    const { clock, close } = endlessEnd();
    const first = await place.open({ ...options, clock }, table);
    await away(rig.proxy, first, place, 0);
    for (let at = 1; at <= 5000; at += 1000) {
      place.offer(first, ids(at, 1000));
      await untilSpooled(first, place, at);
    }
    const { tables } = await close(first);
    const left = tables[place.name]!;
    assert.deepEqual([left.unsent, left.unconfirmed, left.logged], [0, 0, 5001]);
    await rig.proxy.accept();
    const second = await place.open(...spooled(place, { order }));
    place.offer(second, ids(5001, 10));
    await second.replayed();
    await second.flush();
    await place.check();
    const { inherited, stored } = second.stats().tables[place.name]!;
    assert.deepEqual([inherited.stored, inherited.pending, stored], [5001, 0, 10]);
    const oldest = await rig.direct.rows<{ id: string }>(
      `SELECT id FROM ${place.name} WHERE id BETWEEN 1 AND 5000 ORDER BY ts_ingest, id LIMIT 1`,
    );
    const isOldFirst = Number(oldest[0]!.id) < 1000;
    assert.equal(isOldFirst, order === "oldest_first");
  });
