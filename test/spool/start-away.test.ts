import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { AssumedTable } from "../../src/schemas/assumed-table.js";
import { readTable } from "../../src/schemas/introspect.js";
import { checkSums } from "../sink/rig.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { ids, onDisk, spooled, untilSpooled } from "./spool-rig.js";

const rig = await startLogRig({ after });
afterEach(() => rig.proxy.accept());

test("best-effort rows of starts that never saw ClickHouse wait in the spool, and are stored once by the start that sees it", async () => {
  const place = await rig.place();
  const assumed = new AssumedTable(await readTable(rig.direct, place.name));
  const away = async () => ({ tables: [assumed], seen: true });
  const [options, table] = spooled(place);
  await rig.proxy.refuse();
  const first = await place.open({ ...options, away }, table);
  assert.deepEqual([first.stats().link.state, first.hasMet], ["down", false]);
  place.offer(first, ids(0, 3000));
  await untilSpooled(first, place, 3000);
  const { tables } = await first.close({ deadlineMs: 0 });
  const left = tables[place.name]!;
  assert.deepEqual([left.unsent, left.unconfirmed, left.logged], [0, 0, 3000]);

  const second = await place.open({ ...options, away }, table);
  place.offer(second, ids(3000, 2000));
  await untilSpooled(second, place, 5000);
  const { inherited, pending } = second.stats().tables[place.name]!;
  assert.deepEqual([inherited.pending, pending.rows], [3000, 2000]);
  await rig.proxy.accept();
  await second.replayed();
  await second.flush();
  await place.check();
  assert.ok(second.hasMet);
  assert.equal(onDisk(second, place), 0);
  const stats = second.stats().tables[place.name]!;
  checkSums(stats);
  assert.deepEqual([stats.inherited.stored, stats.stored, stats.dropped], [3000, 2000, {}]);
});
