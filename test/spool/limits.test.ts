import assert from "node:assert/strict";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { checkSums } from "../sink/rig.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { away, endlessEnd, FROZEN, fill, ids, spooled, spoolFolder, WIDE } from "./spool-rig.js";

const rig = await startLogRig({ after });
afterEach(() => rig.proxy.accept());

test("a full spool gives up its oldest rows, counted and told exactly, and stores the others", async () => {
  const place = await rig.place({ columns: ", note String DEFAULT ''" });
  const max = 16 * MIB;
  const recorder = await place.open(...spooled(place, {}, { ...FROZEN, spool: { max } }));
  await away(rig.proxy, recorder, place, 0);
  await fill(recorder, place, 1, 24);
  const stats = recorder.stats();
  const spool = stats.spool![place.name]!;
  assert.ok(spool.bytes <= max, `${spool.bytes} bytes of ${max}`);
  const dropped = stats.tables[place.name]!.dropped["spool_full"]!;
  assert.ok(dropped >= 8000, `${dropped} dropped`);
  assert.equal(spool.dropped["spool_full"], dropped);
  checkSums(stats.tables[place.name]!);
  const files = await readdir(spoolFolder(place));
  const sizes = await Promise.all(files.map((name) => sizeOf(join(spoolFolder(place), name))));
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= max + MIB);
  await rig.proxy.accept();
  await recorder.flush();
  // The oldest ones were dropped: 1, 2, 3 …
  for (const id of ids(1, dropped)) place.ledger.delete(id);
  const found = await rig.direct.rows<{ id: string; n: string }>(
    `SELECT id, count() AS n FROM ${place.name} GROUP BY id ORDER BY id`,
  );
  assert.deepEqual(
    found.map(({ id, n }) => [Number(id), Number(n)]),
    [...place.ledger].sort(([one], [other]) => one - other),
  );
  const told = place.events.flatMap((event) =>
    event.kind === "dropped" && event.reason === "spool_full" ? [event.rows] : [],
  );
  assert.equal(
    told.reduce((sum, rows) => sum + rows, 0),
    dropped,
  );
});

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, "r").catch(() => undefined);
  const size = (await file?.stat())?.size ?? 0;
  await file?.close();
  return size;
}

test("a recorder that is closed while its spool is full gives up the oldest rows there, and keeps those that it holds", async () => {
  const place = await rig.place({ columns: ", note String DEFAULT ''" });
  const { clock, close } = endlessEnd();
  const [options, table] = spooled(place, {}, { ...FROZEN, spool: { max: 16 * MIB } });
  const recorder = await place.open({ ...options, clock }, table);
  await away(rig.proxy, recorder, place, 0);
  await fill(recorder, place, 1, 15);
  place.offer(recorder, ids(15_001, 5000), WIDE);
  const report = await close(recorder);
  const { unsent, unconfirmed, logged, dropped, accepted } = report.tables[place.name]!;
  assert.deepEqual([unsent, unconfirmed], [0, 0]);
  assert.equal(logged + dropped["spool_full"]!, accepted);
  assert.ok(logged > 10_000, `${logged} on disk`);
});
