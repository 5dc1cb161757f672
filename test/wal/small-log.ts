import assert from "node:assert/strict";
import { join } from "node:path";
import { LogDamagedError } from "../../src/wal/damaged-error.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import type { Recovered } from "../../src/wal/recovered.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { groupEnd, rows, seal, write } from "./sample.js";

export const DIR = "/log";
export const SEGMENT = join(DIR, segmentName(1));

export function open(disk: ScriptedDisk, segmentBytes = 1 << 20): { log: Log; recovered: Recovered } {
  return Log.open({ dir: DIR, segmentBytes, disk, now: () => 1000, reserveBytes: 0 });
}

/** Five commits with one record each, in one segment; closed in order, or left as by a kill. */
export function smallLog(closed: boolean): ScriptedDisk {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  for (const record of [rows(1, 3), seal("1", 1, 3), rows(4, 2, { group: 2n }), groupEnd(2n), rows(6, 1)]) {
    write(log, record);
  }
  if (closed) log.close();
  disk.kill();
  return disk;
}

/** Ordinals of the records that can be read; a record that is told of but cannot be read is thrown out by its checksum. */
export function legible(disk: ScriptedDisk, recovered: Recovered): number[] {
  return recovered.segments.flatMap(({ segment }) => {
    const path = join(DIR, segmentName(segment));
    const fd = disk.open(path, "read");
    const ordinals = readIndex(disk, path).flatMap(({ ordinal, place }) => {
      try {
        readRecord(disk, fd, place, recovered.logId);
        return [ordinal];
      } catch (error) {
        assert.ok(error instanceof LogDamagedError);
        return [];
      }
    });
    disk.close(fd);
    return ordinals;
  });
}

export function flipped(disk: ScriptedDisk, at: number, bit: number): ScriptedDisk {
  const other = disk.copy();
  const bytes = disk.bytes(SEGMENT);
  bytes[at]! ^= 1 << bit;
  other.put(SEGMENT, bytes);
  return other;
}

/** The ordinal of the record that the byte belongs to. */
function ownerOf(disk: ScriptedDisk, at: number): number | undefined {
  return readIndex(disk, SEGMENT).find(({ place }) => at >= place.offset && at < place.offset + place.length)
    ?.ordinal;
}

/** Flips a bit of a small log: at most the record that it hit is lost, and told, and the log goes on. */
export function flipBit(disk: ScriptedDisk, at: number, bit: number): void {
  const hit = flipped(disk, at, bit);
  const { log, recovered } = open(hit);
  const left = legible(hit, recovered);
  const lost = [1, 2, 3, 4, 5].filter((ordinal) => !left.includes(ordinal));
  assert.ok(
    lost.length === 0 || (lost.length === 1 && lost[0] === ownerOf(disk, at)),
    `byte ${at} cost ${lost}`,
  );
  // A closed segment is not read through at the start; there the reader of the record is told.
  if (lost.length > 0 && recovered.damage.length + recovered.torn.length > 0) {
    const told = [...recovered.damage, ...recovered.torn].find(
      ({ offset, bytes }) => at >= offset && at < offset + bytes,
    );
    assert.ok(told !== undefined, `byte ${at} is not told`);
    const kept = join(DIR, "quarantine", `00000001-${told.offset}`);
    assert.equal(hit.bytes(kept).length, told.bytes);
  }
  assert.ok(log.append(rows(100, 1)) > 5 - lost.length);
  log.commit();
  hit.kill();
  assert.equal(legible(hit, open(hit).recovered).length, left.length + 1);
}
