import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { upTo } from "../sink/rig.js";
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
