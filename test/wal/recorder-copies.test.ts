import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { CursorFile } from "../../src/wal/cursor-file.js";
import { nodeDisk } from "../../src/wal/disk.js";
import { upTo } from "../sink/rig.js";
import type { Exchange, Seen } from "../support/fault-proxy.js";
import { Gate, held } from "../support/fault-proxy-faults.js";
import { type LogPlace, loggedOptions, startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy, direct } = rig;

afterEach(() => proxy.accept());

/** A log with 500 rows that ClickHouse has not got. */
async function leaveRows(place: LogPlace): Promise<void> {
  const recorder = await place.open();
  await proxy.refuse();
  place.offer(recorder, upTo(500));
  await recorder.durable();
  await recorder.close({ deadlineMs: 0 });
  await proxy.accept();
}

test("an old copy of the data folder, put back later, stores nothing twice", async () => {
  const place = await rig.place();
  await leaveRows(place);
  const wal = join(place.folder, "wal");
  const old = join(place.folder, "old");
  cpSync(wal, old, { recursive: true });
  const second = await place.open();
  await second.replayed();
  place.offer(second, [500, 501]);
  await second.flush();
  await second.close({ deadlineMs: 1000 });
  rmSync(wal, { recursive: true });
  cpSync(old, wal, { recursive: true });
  const third = await place.open();
  await third.replayed();
  place.offer(third, [502]);
  await third.flush();
  await place.check();
});

test("a copy of a log on another recorder stores nothing twice, and swallows none of that one's rows", async () => {
  const place = await rig.place();
  await leaveRows(place);
  const elsewhere = join(place.folder, "elsewhere");
  cpSync(join(place.folder, "wal"), join(elsewhere, "wal"), { recursive: true });
  const first = await place.open();
  await first.replayed();
  const { wal, deadLettersDir } = loggedOptions(direct, elsewhere, place.name);
  const other = await place.open({ recorder: "other", wal: wal!, deadLettersDir });
  await other.replayed();
  place.offer(first, [500, 501]);
  place.offer(other, [502, 503]);
  await Promise.all([first.flush(), other.flush()]);
  await place.check();
});

test("a log and its copy that bring the same unsent rows at the same moment store each once", async () => {
  const place = await rig.place();
  // Nothing is sent, hence nothing sealed.
  const before = await place.open({ inFlight: 0 });
  place.offer(before, upTo(500));
  await before.durable();
  await before.close({ deadlineMs: 0 });
  const elsewhere = join(place.folder, "elsewhere");
  cpSync(join(place.folder, "wal"), join(elsewhere, "wal"), { recursive: true });
  // Both have asked, and found none, before either stores a row.
  const both = new Gate();
  let arrived = 0;
  const where = ({ sql }: Seen): boolean => sql.includes(place.name);
  const befall = async (exchange: Exchange): Promise<void> => {
    arrived += 1;
    if (arrived === 2) both.open();
    await held(both).befall(exchange);
  };
  proxy.on({ kind: "insert", times: 2, where }, { name: "held", befall });
  const { wal, deadLettersDir } = loggedOptions(direct, elsewhere, place.name);
  const [first, other] = await Promise.all([
    place.open(),
    place.open({ recorder: "other", wal: wal!, deadLettersDir }),
  ]);
  await Promise.all([first.replayed(), other.replayed()]);
  assert.equal(arrived, 2);
  await place.check();
});

test("two recorders of one name on two folders: neither swallows rows of the other", async () => {
  const place = await rig.place();
  const { wal, deadLettersDir } = loggedOptions(direct, join(place.folder, "elsewhere"), place.name);
  const one = await place.open();
  const other = await place.open({ wal: wal!, deadLettersDir });
  for (const id of upTo(20)) {
    place.offer(one, [2 * id]);
    place.offer(other, [2 * id + 1]);
    await Promise.all([one.durable(), other.durable()]);
  }
  await Promise.all([one.flush(), other.flush()]);
  await place.check();
});

test("rows are found though their table was cut into other partitions since they were logged", async () => {
  const place = await rig.place({ partitionBy: "toYYYYMM(ts)" });
  const first = await place.open();
  place.offer(first, upTo(100));
  await first.flush();
  await first.close({ deadlineMs: 1000 });
  for (const slot of ["cursor.0", "cursor.1"]) rmSync(join(place.folder, "wal", slot), { force: true });
  const { name } = place;
  await direct.command(
    `CREATE TABLE ${name}_new AS ${name} ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (id, seq)
     SETTINGS non_replicated_deduplication_window = 10000`,
  );
  await direct.command(`INSERT INTO ${name}_new SELECT * FROM ${name}`);
  await direct.command(`DROP TABLE ${name}`);
  await direct.command(`RENAME TABLE ${name}_new TO ${name}`);
  const second = await place.open();
  await second.replayed();
  await place.check();
});

test("the cursor forgets starts of which the log has nothing any more", async () => {
  const place = await rig.place();
  const first = await place.open();
  place.offer(first, [1]);
  await first.flush();
  await first.close({ deadlineMs: 1000 });
  const file = (): CursorFile => new CursorFile(nodeDisk, join(place.folder, "wal"));
  const slots = file();
  const cursor = slots.load()!;
  const stored = [{ first: 1, last: 5 }];
  slots.save({ ...cursor, tables: [...cursor.tables, { table: place.name, run: 1n, stored, skipped: [] }] });
  const second = await place.open();
  place.offer(second, [2]);
  await second.flush();
  await second.close({ deadlineMs: 1000 });
  assert.deepEqual(
    file()
      .load()!
      .tables.map(({ run }) => run)
      .toSorted(),
    [first.run, second.run].toSorted(),
  );
});
