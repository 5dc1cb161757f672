import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { decodeFooter, FOOTER_BYTES, segmentName } from "../../src/wal/format.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import { upTo } from "../sink/rig.js";
import { type LogPlace, startLogRig } from "./recorder-rig.js";
import { quick, segmentsOf } from "./trim-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(() => proxy.accept());

function pathOf({ folder }: LogPlace, segment: number): string {
  return join(folder, "wal", segmentName(segment));
}

test("who waits for the fate of rows is told when the recorder closes before it is known", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, [1, 2, 3]);
  await first.durable();
  const flushed = first.flush();
  await first.close({ deadlineMs: 0 });
  await flushed;
  await first.flush();
  await proxy.accept();
  const second = await place.open({ inFlight: 0 });
  const replayed = second.replayed();
  replayed.catch(() => {});
  await second.close({ deadlineMs: 0 });
  await assert.rejects(replayed, { code: "RECORDER_CLOSED" });
  await assert.rejects(second.replayed(), { code: "RECORDER_CLOSED" });
});

test("a frame that was damaged since it was logged is told and costs itself: nobody waits for its rows", async () => {
  const place = await rig.place();
  const options = quick(place, rig);
  const first = await place.open(options);
  await proxy.refuse();
  for (let frame = 0; frame < 6; frame += 1) {
    place.offer(
      first,
      Array.from({ length: 100 }, (_, i) => frame * 100 + i),
    );
    await first.durable();
  }
  await first.close({ deadlineMs: 0 });
  const path = pathOf(place, segmentsOf(place)[0]!);
  const { place: where } = readIndex(nodeDisk, path).find(({ record }) => record.kind === "rows")!;
  const bytes = readFileSync(path);
  bytes[where.offset + where.length - 40]! ^= 1;
  writeFileSync(path, bytes);
  await proxy.accept();
  const second = await place.open(options);
  await second.replayed();
  await place.event("wal_damage");
  assert.equal(await place.count(), 500);
});

test("rows of a segment whose index is damaged as well as a frame's head are told as missing: nobody waits for them", async () => {
  const place = await rig.place();
  const options = quick(place, rig);
  const first = await place.open(options);
  await proxy.refuse();
  for (const hundred of upTo(6)) {
    place.offer(
      first,
      upTo(100).map((i) => hundred * 100 + i),
    );
    await first.durable();
  }
  await first.close({ deadlineMs: 0 });
  const path = pathOf(place, segmentsOf(place)[0]!);
  const { place: where } = readIndex(nodeDisk, path).find(({ record }) => record.kind === "rows")!;
  const bytes = readFileSync(path);
  const { indexOffset } = decodeFooter(bytes.subarray(-FOOTER_BYTES))!;
  bytes[where.offset + 2]! ^= 1;
  bytes[indexOffset + 50]! ^= 1;
  writeFileSync(path, bytes);
  await proxy.accept();
  const second = await place.open(options);
  await second.replayed();
  assert.deepEqual(await place.event("wal_rows_missing"), {
    kind: "wal_rows_missing",
    table: place.name,
    run: String(first.run),
    firstSeq: 1,
    rows: 100,
  });
  assert.equal(await place.count(), 500);
  assert.equal(second.stats().wal!.missing[place.name], 100);
});

test("rows of a segment that somebody removed while they waited are told as missing, and the others are stored", async () => {
  const place = await rig.place({ columns: ", text String DEFAULT ''" });
  const { wal } = quick(place, rig);
  const options = { wal: { ...wal, segment: 200_000 } };
  const recorder = await place.open(options, { queue: { rows: 500 } });
  await proxy.refuse();
  for (const hundred of upTo(40)) {
    const ids = upTo(100).map((i) => hundred * 100 + i);
    place.offer(recorder, ids, { text: "x".repeat(1000) });
    await recorder.durable();
  }
  // The first and the latest rows are in memory: a segment between them is read.
  rmSync(pathOf(place, segmentsOf(place)[20]!));
  const flushed = recorder.flush();
  await proxy.accept();
  await flushed;
  const told = place.events.filter((event) => event.kind === "wal_rows_missing");
  const missing = told.reduce((sum, { rows }) => sum + rows, 0);
  assert(missing > 0);
  assert.equal(await place.count(), 4000 - missing);
});
