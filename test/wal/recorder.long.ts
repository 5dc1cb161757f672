import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { type Clock, systemClock } from "../../src/base/clock.js";
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
  await first.durable();
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
  await first.durable();
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
  await first.durable();
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

test("rows at the edges of days and months go to their partition after a start, and true duplicates stay two rows", async () => {
  for (const partitionBy of ["toDate(ts)", "toYYYYMM(ts)"]) {
    const place = await rig.place({ partitionBy });
    const first = await place.open();
    await proxy.refuse();
    const edges = [
      "2024-02-29T00:00:00Z",
      "2024-03-01T00:00:00Z",
      "2024-12-31T00:00:00Z",
      "2025-01-01T00:00:00Z",
    ];
    for (const [at, edge] of edges.entries()) {
      const ns = BigInt(Date.parse(edge)) * 1_000_000n;
      for (const [step, ts] of [ns - 1n, ns, ns + 1n].entries()) {
        place.offer(first, [10 * at + step], { ts });
        place.offer(first, [10 * at + step], { ts });
      }
    }
    await first.durable();
    await first.close({ deadlineMs: 0 });
    await proxy.accept();
    const second = await place.open();
    await second.replayed();
    await place.check();
    const partition = partitionBy === "toDate(ts)" ? "toString(toDate(ts))" : "toString(toYYYYMM(ts))";
    const strays = await rig.direct.rows(
      `SELECT ts FROM ${place.name} WHERE replaceAll(_partition_id, '-', '') != replaceAll(${partition}, '-', '')`,
    );
    assert.deepEqual(strays, []);
    await second.close({ deadlineMs: 1000 });
  }
});

test("a clock that jumps, forward, back and between starts, loses and doubles nothing", async () => {
  const place = await rig.place();
  let offset = 0;
  const clock: Clock = {
    monotonic: () => systemClock.monotonic(),
    wall: () => systemClock.wall() + offset,
    after: (ms, run) => systemClock.after(ms, run),
  };
  let recorder = await place.open({ clock });
  for (const [round, days] of [30, -60, 400, -800].entries()) {
    const from = 300 * round;
    place.offer(
      recorder,
      upTo(100).map((i) => from + i),
    );
    await proxy.refuse();
    place.offer(
      recorder,
      upTo(100).map((i) => from + 100 + i),
    );
    await recorder.durable();
    offset += days * 86_400_000;
    place.offer(
      recorder,
      upTo(100).map((i) => from + 200 + i),
    );
    await recorder.durable();
    const { oldestPendingSeconds } = recorder.stats().wal!;
    assert.ok(oldestPendingSeconds! >= 0 && oldestPendingSeconds! < 60, `${oldestPendingSeconds} s`);
    if (round % 2 === 1) {
      await recorder.close({ deadlineMs: 0 });
      offset -= days * 43_200_000;
    }
    await proxy.accept();
    if (round % 2 === 1) recorder = await place.open({ clock });
    recorder.replay();
    await recorder.flush();
    await place.check();
  }
});
