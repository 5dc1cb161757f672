import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { readAll, rows, write } from "./sample.js";

const DIR = "/log";

function open(disk: ScriptedDisk, reserveBytes = 0) {
  return Log.open({ dir: DIR, segmentBytes: 1 << 20, disk, now: () => 1000, reserveBytes });
}

function segments(disk: ScriptedDisk): string[] {
  return disk
    .list(DIR)
    .filter((name) => name.endsWith(".wal"))
    .toSorted();
}

test("short writes are continued; a disk that takes nothing is told, not tried for ever", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  disk.taken = (length) => Math.min(length, 7);
  write(log, rows(1, 5));
  disk.taken = () => 0;
  log.append(rows(6, 5));
  assert.throws(() => log.commit(), { code: "WAL_DISK", state: "stalled" });
  disk.taken = (length) => length;
  assert.equal(log.commit().places.length, 1);
  disk.kill();
  assert.deepEqual([...readAll(disk, DIR, open(disk).recovered).values()], [rows(1, 5), rows(6, 5)]);
});

test("a failed write is taken back: the next one goes to the same place in the same file", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  log.append(rows(1, 5));
  const [first] = log.commit().places;
  const size = first!.place.offset + first!.place.length;
  let writes = 0;
  disk.taken = (length) => length - 1;
  disk.fault = (_call, operation) => (operation === "write" && ++writes > 1 ? "ENOSPC" : undefined);
  log.append(rows(6, 5));
  assert.throws(() => log.commit(), { state: "full" });
  assert.equal(disk.bytes(join(DIR, segmentName(1))).length, size);
  disk.fault = () => undefined;
  disk.taken = (length) => length;
  const [told] = log.commit().places;
  assert.deepEqual([told!.place.segment, told!.place.offset], [1, size]);
});

test("a segment grows in steps, and most commits find room in it", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  const sizes = new Set<number>();
  let end = 0;
  for (let seq = 1; seq <= 1000; seq += 5) {
    log.append(rows(seq, 5));
    const { place } = log.commit().places[0]!;
    end = place.offset + place.length;
    sizes.add(disk.bytes(join(DIR, segmentName(1))).length);
  }
  assert.ok(sizes.size <= 1 + end / (16 * 1024), `${sizes.size} sizes for ${end} bytes`);
  assert.ok(Math.max(...sizes) - end <= 16 * 1024);
  log.close();
  const { recovered } = open(disk);
  assert.deepEqual([recovered.damage, recovered.torn, recovered.segments[0]!.closed], [[], [], true]);
});

test("a disk that has room for a record and not for zeros behind it takes the record", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 5));
  for (let seq = 6; seq <= 1000; seq += 5) {
    const used = disk.bytes(join(DIR, segmentName(1))).length;
    disk.capacity = used + 1000;
    write(log, rows(seq, 5));
  }
  disk.kill();
  disk.capacity = Number.POSITIVE_INFINITY;
  const { recovered } = open(disk);
  assert.deepEqual([recovered.damage, recovered.torn], [[], []]);
  assert.equal(readAll(disk, DIR, recovered).size, 200);
});

test("after a failed sync nothing more goes to that file: what waited is written to a new one under its ordinals", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 5));
  disk.fault = (_call, operation) => (operation === "datasync" ? "EIO" : undefined);
  log.append(rows(6, 5));
  assert.throws(() => log.commit(), { state: "failing" });
  assert.throws(() => log.commit(), { state: "failing" });
  assert.deepEqual(segments(disk), [segmentName(1)], "a try that came to nothing leaves no file");
  disk.fault = () => undefined;
  log.append(rows(11, 5));
  const { upTo, places } = log.commit();
  assert.equal(upTo, 3);
  assert.deepEqual(
    places.map(({ ordinal }) => ordinal),
    [2, 3],
  );
  assert.ok(places.every(({ place }) => place.segment > 1));
  const [copy] = readIndex(disk, join(DIR, segmentName(places[0]!.place.segment)));
  assert.equal(copy!.ordinal, 2);
  disk.kill();
  const { recovered } = open(disk);
  assert.deepEqual([...readAll(disk, DIR, recovered).keys()], [1, 2, 3]);
  assert.equal(recovered.nextOrdinal, 4);
});

test("a full disk gets the reserve, and the reserve comes back when there is room for it twice", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, 8192);
  disk.makeFolder("/other");
  disk.put("/other/neighbour", Buffer.alloc(20_000));
  disk.capacity = 40_000;
  log.tend();
  assert.ok(log.reserveHeld);
  write(log, rows(1, 5));
  disk.capacity = disk.capacity - disk.space(DIR).free;
  assert.equal(disk.space(DIR).free, 0);
  assert.deepEqual(write(log, rows(6, 5)), [2]);
  assert.equal(log.reserveHeld, false);
  log.tend();
  assert.equal(log.reserveHeld, false, "8 KiB are free, not twice as much");
  log.append(rows(11, 5, { payload: Buffer.alloc(10_000) }));
  assert.throws(() => log.commit(), { state: "full" });
  disk.capacity = 100_000;
  assert.equal(log.commit().upTo, 3);
  log.tend();
  assert.ok(log.reserveHeld);
});

test("what the disk suffers from has a name, and the log goes on when it is over", () => {
  const states = {
    EROFS: "read_only",
    EIO: "failing",
    EMFILE: "too_many_files",
    EACCES: "denied",
    EDQUOT: "full",
  };
  for (const [code, state] of Object.entries(states)) {
    const disk = new ScriptedDisk();
    const { log } = open(disk);
    disk.fault = (_call, operation) => (operation === "create" ? code : undefined);
    log.append(rows(1, 1));
    for (let tries = 0; tries < 3; tries++) assert.throws(() => log.commit(), { code: "WAL_DISK", state });
    disk.fault = () => undefined;
    assert.equal(log.commit().upTo, 1);
    assert.equal(segments(disk).length, 1);
  }
});

test("a removed folder is noticed although its files are still open", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 1));
  disk.remove(DIR);
  assert.throws(() => log.tend(), { state: "missing" });
});

test("a segment that was carried forward but could not be removed goes as soon as the disk lets it", () => {
  const disk = new ScriptedDisk();
  const first = open(disk);
  write(first.log, rows(1, 1), rows(2, 1));
  first.log.close();
  const { log } = open(disk);
  disk.fault = (_call, operation) => (operation === "unlink" ? "EACCES" : undefined);
  const { places } = log.carry(1, ({ ordinal }) => ordinal === 2);
  assert.deepEqual(
    places.map(({ ordinal }) => ordinal),
    [2],
  );
  assert.ok(segments(disk).includes(segmentName(1)));
  disk.fault = () => undefined;
  log.tend();
  assert.equal(segments(disk).includes(segmentName(1)), false);
  log.close();
  assert.deepEqual([...readAll(disk, DIR, open(disk).recovered).keys()], [2]);
});
