import assert from "node:assert/strict";
import { open, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { cli } from "../support/cli.js";
import { hang } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { startLogRig } from "../wal/recorder-rig.js";
import {
  away,
  endlessEnd,
  FROZEN,
  fill,
  ids,
  onDisk,
  spooled,
  spoolFolder,
  untilSpooled,
  WIDE,
} from "./spool-rig.js";

const OFF = { dedup: "none", sample: 0, conflate: 0, series: 9 } as const;
const rig = await startLogRig({ after });
afterEach(async () => {
  rig.proxy.clear();
  await rig.proxy.accept();
});

test("damaged bytes cost the batch that they are in, which is told, and no other", async () => {
  const place = await rig.place({ columns: ", note String DEFAULT ''" });
  const [options, table] = spooled(place, {}, FROZEN);
  const { clock, close } = endlessEnd();
  const first = await place.open({ ...options, clock }, table);
  await away(rig.proxy, first, place, 0);
  await fill(first, place, 1, 4);
  await close(first);
  const folder = spoolFolder(place);
  const [segment] = (await readdir(folder)).filter((name) => name.endsWith(".wal")).sort();
  const file = await open(join(folder, segment!), "r+");
  // In the middle of the second batch.
  await file.write(Buffer.alloc(100, 7), 0, 100, 1_500_000);
  await file.close();
  const verified = await cli(["wal", "verify", "--dir", folder], place.folder);
  assert.equal(verified.code, 1, `${verified.stdout}${verified.stderr}`);
  await rig.proxy.accept();
  const second = await place.open(...spooled(place, {}, FROZEN));
  await second.replayed();
  for (const id of ids(1001, 1000)) place.ledger.delete(id);
  const found = await rig.direct.rows<{ id: string; n: string }>(
    `SELECT id, count() AS n FROM ${place.name} GROUP BY id ORDER BY id`,
  );
  assert.deepEqual(
    found.map(({ id, n }) => [Number(id), Number(n)]),
    [...place.ledger].sort(([one], [other]) => one - other),
  );
  const { inherited } = second.stats().tables[place.name]!;
  assert.deepEqual([inherited.stored, inherited.dropped, inherited.pending], [3001, 1000, 0]);
  assert.ok(place.events.some(({ kind }) => kind === "spool_damage"));
  assert.ok(place.events.some((event) => event.kind === "dropped" && event.reason === "spool_damaged"));
});

test("a ClickHouse that hangs is away: rows go to disk though the link is not down", async () => {
  const place = await rig.place();
  const recorder = await place.open({ ...spooled(place)[0], deadlineMs: 60_000 }, spooled(place)[1]);
  rig.proxy.on({ times: 2 }, hang);
  place.offer(recorder, ids(0, 500));
  await until("an INSERT hangs", () => rig.proxy.inserts.some(({ fault }) => fault !== undefined));
  place.offer(recorder, ids(500, 500));
  await until("both do", () => recorder.stats().tables[place.name]!.oldestSeconds === undefined);
  place.offer(recorder, ids(1000, 3000));
  await untilSpooled(recorder, place, 3000);
  assert.notEqual(recorder.stats().link.state, "down");
  await rig.proxy.refuse();
  await rig.proxy.accept();
  await until("all are stored", () => onDisk(recorder, place) === 0);
  await recorder.flush();
  await place.check();
});

test("what an earlier start left is stored when its folder can be opened, though no row comes meanwhile", async () => {
  const place = await rig.place();
  const [options, table] = spooled(place);
  const { clock, close } = endlessEnd();
  const first = await place.open({ ...options, clock }, table);
  await away(rig.proxy, first, place, 0);
  place.offer(first, ids(1, 500));
  await untilSpooled(first, place, 500);
  await close(first);
  await rig.proxy.accept();
  // A disk that is not mounted yet.
  const folder = spoolFolder(place);
  await rename(folder, `${folder}.away`);
  await writeFile(folder, "");
  const second = await place.open(...spooled(place));
  assert.equal(second.stats().spool![place.name]!.state, "unopened");
  let isReplayed = false;
  const replayed = second.replayed().then(() => {
    isReplayed = true;
  });
  await new Promise(setImmediate);
  assert.equal(isReplayed, false);
  await unlink(folder);
  await rename(`${folder}.away`, folder);
  await replayed;
  await place.check();
});

test("rows of a time before the column by which their series are told apart are given up without trouble, and told", async () => {
  const place = await rig.place({ columns: ", note String DEFAULT ''" });
  const narrow = { ...FROZEN, spool: { max: 16 * MIB } };
  const first = await place.open(...spooled(place, {}, narrow));
  await away(rig.proxy, first, place, 0);
  await fill(first, place, 1, 14);
  await first.close({ deadlineMs: 0 });
  await rig.direct.command(
    `ALTER TABLE ${place.name} ADD COLUMN venue LowCardinality(String) DEFAULT '', ADD COLUMN at DateTime64(9) DEFAULT ts`,
  );
  // Nothing of what it left is stored before ClickHouse is away again.
  rig.proxy.on({ times: Infinity, where: ({ sql }) => sql.includes(place.name) }, hang);
  await rig.proxy.accept();
  const policy = { ...OFF, by: ["venue"], news: ["px"], time: "at" };
  const second = await place.open(...spooled(place, {}, { ...narrow, policy }));
  await away(rig.proxy, second, place, 20_000);
  for (let at = 20_001; at < 28_000; at += 1000) {
    place.offer(second, ids(at, 1000), WIDE);
    await until("it is on disk", () => second.stats().tables[place.name]!.oldestSeconds === undefined);
  }
  const { inherited } = second.stats().tables[place.name]!;
  const told = place.events.flatMap((event) =>
    event.kind === "dropped" && event.reason === "spool_full" ? [event.rows] : [],
  );
  assert.ok(inherited.dropped > 0);
  assert.equal(
    told.reduce((sum, rows) => sum + rows, 0),
    inherited.dropped,
  );
});
