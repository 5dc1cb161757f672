import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { checkSums } from "../sink/rig.js";
import { until } from "../support/until.js";
import { Script } from "../wal/disk-script.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { away, FROZEN, fill, ids, onDisk, spooled, untilSpooled, WIDE } from "./spool-rig.js";

const SCRIPTED = new URL("../wal/worker-disk.js", import.meta.url);
const rig = await startLogRig({ after });
afterEach(() => rig.proxy.accept());

test("a disk with little room has its room for the log: the spool goes, oldest first, and takes nothing", async () => {
  const place = await rig.place({ columns: ", note String DEFAULT ''" });
  const script = new Script();
  const recorder = await place.open(
    ...spooled(
      place,
      { reserve: 64 * MIB, emergencyDisk: 2, disk: { module: SCRIPTED, data: script.memory } },
      { ...FROZEN, spool: { max: 16 * MIB } },
    ),
  );
  await away(rig.proxy, recorder, place, 0);
  script.free = 1024 * MIB;
  await fill(recorder, place, 1, 6);
  const state = (): string => recorder.stats().spool![place.name]!.state;
  assert.equal(state(), "ok");
  // Four times the reserve are the log's.
  script.free = 254 * MIB;
  await until("it gives way", () => state() === "giving_way" || onDisk(recorder, place) < 6000);
  await until(
    "rows are given up",
    () => recorder.stats().tables[place.name]!.dropped["spool_full"] !== undefined,
  );
  script.free = 100 * MIB;
  await until("only what is written to is left", () => onDisk(recorder, place) === 1000);
  assert.equal(state(), "giving_way");
  place.offer(recorder, ids(6001, 500), WIDE);
  script.free = 1024 * MIB;
  await until("it takes rows again", () => onDisk(recorder, place) === 1500);
  const dropped = recorder.stats().tables[place.name]!.dropped["spool_full"]!;
  await rig.proxy.accept();
  await recorder.flush();
  for (const id of ids(1, dropped)) place.ledger.delete(id);
  assert.equal(await place.count(), place.ledger.size);
  checkSums(recorder.stats().tables[place.name]!);
});

for (const [error, call, state] of [
  ["ENOSPC", "write", "full"],
  ["EIO", "datasync", "failing"],
  ["EROFS", "write", "read_only"],
] as const)
  test(`${error}: rows stay in memory, told as ${state}; the disk is used again when it is well`, async () => {
    const place = await rig.place();
    const script = new Script();
    const recorder = await place.open(
      ...spooled(
        place,
        { disk: { module: SCRIPTED, data: script.memory } },
        { flush: { rows: 100, bytes: MIB, age: 10 }, queue: { rows: 2000 } },
      ),
    );
    await away(rig.proxy, recorder, place, 0);
    place.offer(recorder, ids(1, 100));
    await untilSpooled(recorder, place, 100);
    script.set(call, error);
    let id = 101;
    for (; id < 4101; id += 100) {
      place.offer(recorder, ids(id, 100));
      await new Promise(setImmediate);
    }
    await until(state, () => recorder.stats().spool![place.name]!.state === state);
    const { pending, dropped } = recorder.stats().tables[place.name]!;
    checkSums(recorder.stats().tables[place.name]!);
    assert.ok(pending.rows <= 2000 + 1000, `${pending.rows} rows are held`);
    assert.ok(dropped["queue_full"]! > 0);
    script.clear();
    await until("ok", () => recorder.stats().spool![place.name]!.state === "ok");
    place.offer(recorder, ids(id, 100));
    await until("all is on disk", () => recorder.stats().memory.used < 2 ** 15);
    await rig.proxy.accept();
    await recorder.flush();
    const { stored, dropped: lost, accepted } = recorder.stats().tables[place.name]!;
    assert.equal(stored + Object.values(lost).reduce((sum, rows) => sum + rows, 0), accepted);
    assert.equal(await place.count(), stored);
    const [twice] = await rig.direct.rows<{ n: string }>(
      `SELECT count() - uniqExact(id) AS n FROM ${place.name}`,
    );
    assert.equal(Number(twice!.n), 0);
  });

test("a folder that cannot be opened is told, rows stay in memory, and it is opened when it can be", async () => {
  const place = await rig.place();
  const script = new Script();
  const recorder = await place.open(...spooled(place, { disk: { module: SCRIPTED, data: script.memory } }));
  script.set("create", "EROFS");
  await away(rig.proxy, recorder, place, 0);
  place.offer(recorder, ids(1, 500));
  const state = () => recorder.stats().spool![place.name]!;
  await until("it cannot be opened", () => state().state === "unopened");
  assert.match(state().reason, /EROFS/);
  assert.equal(recorder.stats().tables[place.name]!.pending.rows, 501);
  script.clear();
  await untilSpooled(recorder, place, 500);
  await rig.proxy.accept();
  await recorder.flush();
  await place.check();
});
