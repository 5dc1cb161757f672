import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { AssumedTable } from "../../src/schemas/assumed-table.js";
import { readTable } from "../../src/schemas/introspect.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { ids, spooled, untilSpooled } from "./spool-rig.js";

const rig = await startLogRig({ after });
afterEach(() => rig.proxy.accept());

test("two starts that never see ClickHouse keep their rows in the spool, and the third stores them once", async () => {
  const place = await rig.place();
  const tables = [new AssumedTable(await readTable(rig.direct, place.name))];
  const [options, table] = spooled(place);
  const away = { ...options, away: async () => ({ tables, seen: true }) };
  await rig.proxy.refuse();
  for (const first of [0, 10_000]) {
    const recorder = await place.open(away, table);
    place.offer(recorder, ids(first, 2000));
    await untilSpooled(recorder, place, first === 0 ? 2000 : 4000);
    const { tables: left } = await recorder.close({ deadlineMs: 0 });
    assert.deepEqual([left[place.name]!.logged, left[place.name]!.unsent], [2000, 0]);
  }
  const last = await place.open(away, table);
  assert.equal(last.stats().tables[place.name]!.inherited.pending, 4000);
  await rig.proxy.accept();
  await last.replayed();
  await place.check();
});
