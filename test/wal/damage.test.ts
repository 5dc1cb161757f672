import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { LogDamagedError } from "../../src/wal/damaged-error.js";
import { FLAG, sealHead, seedOf, segmentName } from "../../src/wal/format.js";
import type { LogRecord } from "../../src/wal/records.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { groupEnd, readAll, rows, write } from "./sample.js";
import { DIR, flipBit, flipped, legible, open, SEGMENT, smallLog } from "./small-log.js";

for (const closed of [false, true]) {
  test(`a flipped bit costs at most the record it hit, in a segment ${closed ? "that was closed" : "left by a kill"}`, () => {
    const disk = smallLog(closed);
    // Each byte of a word, over nine words; the long form takes each bit of each byte.
    for (let at = 0; at < disk.bytes(SEGMENT).length; at += 9) flipBit(disk, at, at % 8);
  });
}

test("a record whose payload alone is damaged is told by name", () => {
  const disk = smallLog(false);
  const [first] = readIndex(disk, SEGMENT);
  const hit = flipped(disk, first!.place.offset + first!.place.length - 9, 3);
  const { recovered } = open(hit);
  assert.deepEqual(
    recovered.damage.map(({ record }) => record),
    [first],
  );
  assert.equal(recovered.torn.length, 0);
});

test("damage is reported once: the next start finds the segment closed without it", () => {
  const disk = smallLog(false);
  const hit = flipped(disk, 70, 1);
  assert.equal(open(hit).recovered.damage.length, 1);
  hit.kill();
  const { recovered } = open(hit);
  assert.deepEqual([recovered.damage, recovered.torn], [[], []]);
  assert.deepEqual(legible(hit, recovered), [2, 3, 4, 5]);
});

test("bytes that were cut out, put in, or zeroed in the middle cost what they hit", () => {
  const disk = smallLog(false);
  const whole = disk.bytes(SEGMENT);
  const entries = readIndex(disk, SEGMENT);
  const third = entries[2]!.place;
  const zeroed = Buffer.from(whole);
  zeroed.fill(0, third.offset, third.offset + third.length);
  const variants: [Buffer, number[]][] = [
    [zeroed, [1, 2, 4, 5]],
    [
      Buffer.concat([whole.subarray(0, third.offset), whole.subarray(third.offset + third.length)]),
      [1, 2, 4, 5],
    ],
    [
      Buffer.concat([whole.subarray(0, third.offset), Buffer.alloc(48, 7), whole.subarray(third.offset)]),
      [1, 2, 3, 4, 5],
    ],
    [whole.subarray(0, entries[4]!.place.offset + 11), [1, 2, 3, 4]],
    [Buffer.concat([whole, Buffer.alloc(100_000)]), [1, 2, 3, 4, 5]],
  ];
  for (const [bytes, left] of variants) {
    const other = disk.copy();
    other.put(SEGMENT, bytes);
    assert.deepEqual(legible(other, open(other).recovered), left);
  }
});

test("zeros behind the last record are a clean end", () => {
  const disk = smallLog(false);
  disk.put(SEGMENT, Buffer.concat([disk.bytes(SEGMENT), Buffer.alloc(4096)]));
  const { recovered } = open(disk);
  assert.deepEqual([recovered.damage, recovered.torn], [[], []]);
});

test("a length that is damaged allocates nothing", () => {
  const disk = smallLog(true);
  const bytes = disk.bytes(SEGMENT);
  const { place } = readIndex(disk, SEGMENT)[0]!;
  const fd = disk.open(SEGMENT, "read");
  bytes.writeUInt32LE(0xffff_fff0, place.offset + 8);
  disk.put(SEGMENT, bytes);
  const damaged = disk.open(SEGMENT, "read");
  assert.throws(() => readRecord(disk, damaged, place, 1n), LogDamagedError);
  disk.close(fd);
});

test("segments of another log, and copies under another number, are not taken, reported and left alone", () => {
  const disk = smallLog(true);
  const other = smallLog(true);
  disk.put(join(DIR, segmentName(7)), other.bytes(SEGMENT));
  disk.put(join(DIR, segmentName(4)), disk.bytes(SEGMENT));
  const { log, recovered } = open(disk);
  assert.deepEqual(
    recovered.damage.map(({ segment, reason }) => [segment, reason]),
    [
      [4, "the file is a copy of segment 1"],
      [7, "the segment belongs to another log"],
    ],
  );
  assert.deepEqual(legible(disk, recovered), [1, 2, 3, 4, 5]);
  assert.deepEqual(write(log, rows(50, 1)), [6]);
  assert.deepEqual(disk.bytes(join(DIR, segmentName(7))), other.bytes(SEGMENT));
  assert.ok(disk.bytes(join(DIR, segmentName(8))).length > 64, "new segments go behind all others");
});

test("a segment that the disk cannot read is reported, and ordinals keep clear of its own", () => {
  const disk = smallLog(false);
  disk.fault = (_call, operation, path) => (operation === "read" && path === SEGMENT ? "EIO" : undefined);
  const { log, recovered } = open(disk);
  assert.match(recovered.damage[0]!.reason, /unreadable/);
  write(log, rows(50, 1));
  disk.kill();
  const again = open(disk);
  assert.deepEqual(legible(disk, again.recovered).slice(0, 5), [1, 2, 3, 4, 5]);
  assert.equal(legible(disk, again.recovered).length, 6);
});

test("a log of a newer version is refused and left alone", () => {
  const disk = smallLog(true);
  const bytes = disk.bytes(SEGMENT);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  disk.put(SEGMENT, bytes);
  assert.throws(() => open(disk), { code: "WAL_NEWER" });
  assert.deepEqual(disk.bytes(SEGMENT), bytes);
});

test("half a group is never taken: its end in a torn commit counts only with all its rows", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 1));
  const frames: LogRecord[] = [
    rows(2, 2, { group: 5n }),
    rows(4, 3, { group: 5n }),
    groupEnd(5n),
    rows(7, 1),
  ];
  write(log, ...frames);
  disk.kill();
  const places = readIndex(disk, SEGMENT).map(({ place }) => place);
  for (const [broken, left] of [
    [1, [1, 5]],
    [2, [1, 5]],
    [3, [1, 5]],
    [4, [1, 2, 3, 4]],
  ] as const) {
    const hit = flipped(disk, places[broken]!.offset + 20, 0);
    // The second start finds the segment closed and believes it.
    for (let start = 0; start < 2; start += 1) {
      const { recovered } = open(hit);
      assert.deepEqual([...readAll(hit, DIR, recovered).keys()], left);
      hit.kill();
    }
  }
});

test("a torn commit that was written again to the next segment is no damage", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 1));
  for (const first of [2, 3, 4]) log.append(rows(first, 1));
  disk.fault = (_call, operation) =>
    operation === "datasync" || operation === "truncate" ? "EIO" : undefined;
  assert.throws(() => log.commit());
  disk.fault = () => undefined;
  log.commit();
  disk.kill();
  const torn = readIndex(disk, SEGMENT).find(({ ordinal }) => ordinal === 3)!;
  const hit = flipped(disk, torn.place.offset + 40, 1);
  const { recovered } = open(hit);
  assert.deepEqual(recovered.damage, []);
  assert.deepEqual(
    recovered.torn.map(({ offset }) => offset),
    [torn.place.offset],
  );
  assert.deepEqual([...readAll(hit, DIR, recovered).keys()], [1, 2, 3, 4]);
});

test("a frame with a compressed payload is refused by name", () => {
  const disk = smallLog(true);
  const [first] = readIndex(disk, SEGMENT);
  const bytes = disk.bytes(SEGMENT);
  const { offset } = first!.place;
  const { logId } = open(disk.copy()).recovered;
  sealHead(bytes, offset, FLAG.lz4, seedOf(logId, 1));
  disk.put(SEGMENT, bytes);
  const fd = disk.open(SEGMENT, "read");
  assert.throws(() => readRecord(disk, fd, first!.place, logId), { code: "WAL_NEWER" });
});
