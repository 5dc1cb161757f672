import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import { startLogRig } from "./recorder-rig.js";
import { quick, segmentsOf } from "./trim-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(() => proxy.accept());

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
  const path = join(place.folder, "wal", `${String(segmentsOf(place)[0]).padStart(8, "0")}.wal`);
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
