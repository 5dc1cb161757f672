import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { NOON, upTo } from "../sink/rig.js";
import { loggedOptions, startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

test("a backlog over 200 partitions is stored partition by partition, and so are the edges of days", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  const day = 86_400_000_000_000n;
  const midnight = BigInt(Date.UTC(2024, 0, 1)) * 1_000_000n;
  for (const round of upTo(5))
    for (const i of upTo(200)) {
      const edge = midnight + BigInt(i) * day;
      place.offer(first, [round * 400 + 2 * i], { ts: edge });
      place.offer(first, [round * 400 + 2 * i + 1], { ts: edge - 1n });
    }
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open();
  await second.replayed();
  await place.check();
});

test("ClickHouse killed under load: every row is stored once", async () => {
  const place = await rig.place();
  const recorder = await place.open();
  for (const round of upTo(20)) {
    place.offer(
      recorder,
      upTo(500).map((i) => round * 500 + i),
    );
    await recorder.durable();
    if (round === 10) rig.engine.kill();
  }
  await rig.engine.restart();
  await recorder.flush();
  await place.check();
});

test("rows of a table that the recorder is not opened with stay in the log, and are told", async () => {
  const place = await rig.place();
  const other = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(10));
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const options = loggedOptions(rig.direct, place.folder, other.name);
  const without = await place.open({ tables: options.tables });
  assert.deepEqual(
    place.events.filter(({ kind }) => kind === "wal_rows_left"),
    [{ kind: "wal_rows_left", table: place.name, rows: 10 }],
  );
  await without.close({ deadlineMs: 1000 });
  const again = await place.open();
  await again.replayed();
  await place.check();
});

test("a log at its limit refuses rows by that name", async () => {
  const place = await rig.place();
  const options = loggedOptions(rig.direct, place.folder, place.name);
  const recorder = await place.open({ wal: { ...options.wal!, max: 4 * 2 ** 20 } });
  await proxy.refuse();
  let id = 0;
  while (recorder.table(place.name).offer({ ts: NOON, id, source: "x".repeat(500) }) !== undefined) {
    place.ledger.set(id++, 1);
    if (id % 1000 === 0) await recorder.durable();
  }
  const { wal, tables } = recorder.stats();
  assert.deepEqual([wal?.refusing, tables[place.name]?.refused], ["wal_max", { wal_max: 1 }]);
  await proxy.accept();
  await recorder.flush();
  await place.check();
});

test("an engine that stands still and goes on: rows wait in the log, and each is stored once", async () => {
  const place = await rig.place();
  const recorder = await place.open({}, { queue: { rows: 5000 } });
  process.kill(rig.engine.pid!, "SIGSTOP");
  try {
    for (const round of upTo(40)) {
      place.offer(
        recorder,
        upTo(1000).map((i) => round * 1000 + i),
      );
      await recorder.durable();
    }
    assert.equal(recorder.stats().tables[place.name]?.stored, 0);
    assert.deepEqual(recorder.stats().wal?.behind, [place.name]);
  } finally {
    process.kill(rig.engine.pid!, "SIGCONT");
  }
  await recorder.flush();
  await place.check();
});

test("rows that are taken while a backlog is read back are stored once and without holes", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(50_000));
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open({}, { queue: { rows: 2000 } });
  let isReplayed = false;
  const replayed = second.replayed().then(() => {
    isReplayed = true;
  });
  for (let id = 50_000; !isReplayed || id < 80_000; id += 100) {
    place.offer(
      second,
      upTo(100).map((i) => id + i),
    );
    await second.durable();
  }
  await replayed;
  await second.flush();
  await place.check();
  const { inherited, accepted, stored } = second.stats().tables[place.name]!;
  assert.deepEqual([inherited.stored, inherited.pending, accepted - stored], [50_000, 0, 0]);
});
