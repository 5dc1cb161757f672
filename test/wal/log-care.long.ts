import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import type { Recorder } from "../../src/recorder.js";
import { nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import type { IndexEntry } from "../../src/wal/records.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import { checkSums, upTo } from "../sink/rig.js";
import { randomOf } from "../support/random.js";
import { until } from "../support/until.js";
import { type LogPlace, startLogRig } from "./recorder-rig.js";
import { quick, segmentsOf } from "./trim-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;
const ROWS = 100;

afterEach(() => proxy.accept());

function pathOf({ folder }: LogPlace, segment: number): string {
  return join(folder, "wal", segmentName(segment));
}

/** Turns a bit of a record, so far behind its beginning, or in front of its end. */
function damage(place: LogPlace, { place: where }: IndexEntry, at: number): void {
  const path = pathOf(place, where.segment);
  const bytes = readFileSync(path);
  bytes[where.offset + (at < 0 ? where.length + at : at)]! ^= 1;
  writeFileSync(path, bytes);
}

function framesIn(place: LogPlace, segment: number): IndexEntry[] {
  return readIndex(nodeDisk, pathOf(place, segment)).filter(({ record }) => record.kind === "rows");
}

/** So many frames of {@link ROWS} rows, each synced. */
async function log(place: LogPlace, recorder: Recorder, frames: number, row = {}, from = 0): Promise<void> {
  for (const frame of upTo(frames)) {
    const first = (from + frame) * ROWS;
    place.offer(
      recorder,
      upTo(ROWS).map((id) => first + id),
      row,
    );
    await recorder.durable();
  }
}

function quarantined({ folder }: LogPlace): string[] {
  return readdirSync(join(folder, "wal", "quarantine"));
}

test("repair of a log in use puts aside what is damaged, once; rows that are in memory are stored all the same", async () => {
  const place = await rig.place();
  const recorder = await place.open(quick(place, rig));
  await proxy.refuse();
  await log(place, recorder, 8);
  const care = recorder.log!;
  assert.deepEqual(await care.repair(false), []);
  const [frame] = framesIn(place, segmentsOf(place)[0]!);
  damage(place, frame!, -40);
  const { segment, offset } = frame!.place;
  const dry = await care.repair(true);
  assert.deepEqual(
    dry.map((each) => [each.segment, each.offset, each.table, each.rows]),
    [[segment, offset, place.name, ROWS]],
  );
  assert.ok(!readdirSync(join(place.folder, "wal")).includes("quarantine"));
  assert.deepEqual(await care.repair(false), dry);
  assert.deepEqual(quarantined(place), [`${segmentName(segment).slice(0, 8)}-${offset}`]);
  assert.deepEqual(await care.repair(false), []);
  await place.event("wal_damage");
  assert.deepEqual(recorder.stats().wal!.missing, {});
  await proxy.accept();
  await recorder.flush();
  await place.check();
});

test("nobody waits any more for rows that a repair finds to be lost: of a damaged payload, and of a damaged head, which the index knows", async () => {
  const place = await rig.place({ columns: ", text String" });
  const wal = { ...quick(place, rig).wal, segment: 300_000 };
  // Of four such frames more than one MiB is read back; the others stay on disk while nothing is sent.
  const text = "x".repeat(5000);
  const first = await place.open({ wal });
  await proxy.refuse();
  await log(place, first, 8, { text });
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open({ wal, inFlight: 0 }, { queue: { rows: 10 } });
  const [before, last] = segmentsOf(place)
    .sort((a, b) => a - b)
    .slice(-2);
  const [payload] = framesIn(place, before!);
  const [head] = framesIn(place, last!);
  damage(place, payload!, -40);
  damage(place, head!, 9);
  assert.equal(second.stats().tables[place.name]!.inherited.pending, 8 * ROWS);
  const care = second.log!;
  const dry = await care.repair(true);
  const found = await care.repair(false);
  assert.deepEqual(found, dry);
  assert.deepEqual(
    found.map((each) => [each.segment, each.rows]),
    [
      [before, ROWS],
      [last, ROWS],
    ],
  );
  assert.deepEqual(await care.repair(false), []);
  assert.equal(second.stats().tables[place.name]!.inherited.pending, 6 * ROWS);
  assert.deepEqual(second.stats().wal!.missing, { [place.name]: 2 * ROWS });
  await second.close({ deadlineMs: 0 });
  const third = await place.open({ wal });
  await third.replayed();
  assert.equal(await place.count(), 6 * ROWS);
});

test("a purge of a log in use removes at once what is stored; what is pending stays unless it is forced", async () => {
  const place = await rig.place();
  const recorder = await place.open(quick(place, rig, 600_000));
  await log(place, recorder, 8);
  await recorder.flush();
  const segments = segmentsOf(place).length;
  assert.ok(segments > 2);
  const care = recorder.log!;
  const stored = await care.purge(false);
  assert.deepEqual([stored.removed.length, stored.kept.length, stored.pending], [segments - 1, 1, []]);
  assert.deepEqual(
    segmentsOf(place),
    stored.kept.map(({ segment }) => segment),
  );
  await proxy.refuse();
  await log(place, recorder, 8, {}, 8);
  const pending = [{ table: place.name, pending: 8 * ROWS }];
  const refused = await care.purge(false);
  assert.deepEqual([refused.removed.length, refused.pending], [0, pending]);
  const forced = await care.purge(true);
  const sending = forced.sending.reduce((sum, { rows }) => sum + rows, 0);
  const [given] = forced.pending;
  assert.equal(given!.pending + sending, 8 * ROWS);
  const gone = new Set(forced.removed.map(({ segment }) => segment));
  assert.ok(gone.size > 2);
  assert.ok(!segmentsOf(place).some((segment) => gone.has(segment)));
  const stats = recorder.stats().tables[place.name]!;
  checkSums(stats);
  assert.deepEqual([stats.dropped, stats.pending.rows], [{ purged: given!.pending }, sending]);
  const purged = place.events.findLast(({ kind }) => kind === "wal_purged") as { rows?: number } | undefined;
  assert.equal(purged?.rows, given!.pending);
  await proxy.accept();
  await log(place, recorder, 1, {}, 16);
  await recorder.flush();
  assert.equal(await place.count(), 8 * ROWS + sending + ROWS);
  await recorder.close({ deadlineMs: 5000 });
  const next = await place.open(quick(place, rig));
  await next.replayed();
  assert.equal(await place.count(), 8 * ROWS + sending + ROWS);
});

test("rows of earlier starts that are given up while they are read back and sent are stored or given up, each one of them", async (t) => {
  const random = randomOf(t);
  const place = await rig.place({ columns: ", text String" });
  const wal = { ...quick(place, rig).wal, segment: 300_000 };
  const text = "x".repeat(5000);
  const first = await place.open({ wal });
  await proxy.refuse();
  await log(place, first, 12, { text });
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open({ wal }, { queue: { rows: 10 } });
  const after = random.below(8) * ROWS;
  await until("some are stored", async () => (await place.count()) >= after);
  const { pending } = await second.log!.purge(true);
  await second.replayed();
  const given = pending.reduce((sum, each) => sum + each.pending, 0);
  t.diagnostic(`${given} rows were given up`);
  assert.equal(await place.count(), 12 * ROWS - given);
  const { inherited, stored } = second.stats().tables[place.name]!;
  assert.deepEqual(
    [inherited.dropped, inherited.stored + stored, inherited.pending],
    [given, 12 * ROWS - given, 0],
  );
  await second.close({ deadlineMs: 5000 });
  const third = await place.open({ wal });
  await third.replayed();
  assert.equal(await place.count(), 12 * ROWS - given);
});
