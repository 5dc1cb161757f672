import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { NOON, upTo } from "../sink/rig.js";
import type { Exchange, Seen } from "../support/fault-proxy.js";
import { startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;
const BACKLOG = 60_000;
const LIVE = 200;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

test("rows taken while a backlog is replayed are stored once and without holes, whichever run the backlog is of", async () => {
  for (const isRestarted of [false, true]) {
    const place = await rig.place();
    const table = { queue: { rows: 5000 }, flush: { rows: 1000, bytes: 2 ** 20, age: 20 } };
    let recorder = await place.open({}, table);
    await proxy.refuse();
    place.offer(recorder, upTo(BACKLOG));
    await recorder.durable();
    if (isRestarted) await recorder.close({ deadlineMs: 0 });
    await proxy.accept();
    if (isRestarted) recorder = await place.open({}, table);
    recorder.replay();
    let id = BACKLOG;
    for (let round = 0; round < 5; round += 1) {
      const ids = upTo(LIVE).map((i) => id + i);
      id += LIVE;
      place.offer(recorder, ids.slice(0, -1));
      const last = recorder.table(place.name).offer({ ts: BigInt(Date.now()) * 1_000_000n, id: ids.at(-1) })!;
      place.ledger.set(ids.at(-1)!, 1);
      await last.stored;
    }
    await recorder.replayed();
    await recorder.flush();
    await place.check();
    assert.deepEqual(recorder.stats().wal?.behind, []);
    await recorder.close({ deadlineMs: 1000 });
  }
});

test("rows taken after an outage pass its backlog, though memory was full of rows when ClickHouse came back", async () => {
  const place = await rig.place({ columns: ", note String" });
  const recorder = await place.open({ inFlight: 1 });
  // Batches that are read back have 2 MiB.
  const row = { note: "n".repeat(2 ** 10) };
  const rows = 30_000;
  await proxy.refuse();
  for (let id = 0; id < rows; id += 500) {
    place.offer(
      recorder,
      upTo(500).map((i) => id + i),
      row,
    );
    await recorder.durable();
  }
  assert.deepEqual(recorder.stats().wal?.behind, [place.name]);
  // However long the disk takes for rows that pass it, the backlog is not sent meanwhile.
  let logged = Promise.resolve();
  const befall = async (exchange: Exchange): Promise<void> => {
    await logged;
    await exchange.reply(await exchange.forward());
  };
  const where = ({ sql }: Seen): boolean => sql.includes(place.name);
  proxy.on({ times: Infinity, where }, { name: "waits for the log", befall });
  await proxy.accept();
  const left: number[] = [];
  for (let id = rows; left.length < 3; id += 50) {
    const ids = upTo(50).map((i) => id + i);
    place.offer(recorder, ids.slice(0, -1), row);
    const last = recorder.table(place.name).offer({ ts: NOON, id: ids.at(-1), ...row })!;
    place.ledger.set(ids.at(-1)!, 1);
    logged = recorder.durable();
    await last.stored;
    left.push(recorder.stats().wal!.pending[place.name]!);
  }
  assert.ok(left.at(-1)! > rows / 4, `rows left when each was stored: ${left.join(", ")}`);
  await recorder.flush();
  await place.check();
  assert.deepEqual(recorder.stats().wal?.behind, []);
});
