import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { FLAG, segmentName } from "../../src/wal/format.js";
import { Log, type Resume } from "../../src/wal/log.js";
import type { RecordPlace } from "../../src/wal/recovered.js";
import { readRecordBytes } from "../../src/wal/segment-file.js";
import { temporaryFolder } from "../support/folder.js";
import { groupEnd, readAll, rows, seal, write } from "./sample.js";

const MANY = 1 << 20;

/** Opens what the writer before left as it was when that died: nothing is closed in between. */
function open(dir: string, resume?: Resume) {
  return Log.open({ dir, segmentBytes: MANY, disk: nodeDisk, now: Date.now, reserveBytes: 0, resume });
}

function at(ordinal: number, groups: Iterable<[bigint, number]> = []): Resume {
  return { at: ordinal, groups: new Map(groups), logId: 5n, nextSegment: 3 };
}

/** Whether the record says that another under its ordinal may come before it. */
function isCopy(dir: string, logId: bigint, { place }: RecordPlace): boolean {
  const fd = nodeDisk.open(join(dir, segmentName(place.segment)), "read");
  const { head } = readRecordBytes(nodeDisk, fd, place, logId);
  nodeDisk.close(fd);
  return (head.flags & FLAG.copy) !== 0;
}

test("what a dead writer left unacknowledged is appended again under its ordinals, in as many commits as it takes, and counts once", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const [one, two, three, four] = [rows(1, 1), seal("1", 1, 1), rows(2, 1), rows(3, 1)] as const;
  write(open(dir).log, one, two, three);
  const { log } = open(dir, at(2));
  const copies = [two, three, four].map((record) => {
    log.append(record);
    return log.commit().places[0]!;
  });
  assert.deepEqual(
    copies.map((copy) => [copy.ordinal, isCopy(dir, log.id, copy)]),
    [
      [2, true],
      [3, true],
      [4, false],
    ],
  );
  const { recovered } = open(dir);
  assert.deepEqual([recovered.nextOrdinal, recovered.damage], [5, []]);
  assert.deepEqual(
    [...readAll(nodeDisk, dir, recovered)],
    [one, two, three, four].map((record, index) => [index + 1, record]),
  );
  const counted = recovered.segments.flatMap(({ tables }) => tables.map((table) => table.rows));
  assert.equal(
    counted.reduce((sum, each) => sum + each, 0),
    3,
  );
});

test("a group that began under a dead writer counts whole once its end is there, also after another crash", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const [first, second] = [rows(1, 2, { group: 9n }), rows(3, 4, { group: 9n })] as const;
  write(open(dir).log, first);
  const { log } = open(dir, at(2, [[9n, 2]]));
  for (const record of [rows(7, 1), second, groupEnd(9n)]) log.append(record);
  const { segment, offset, length } = log.commit().places[0]!.place;
  // Power went while that commit was written: where a record of it is missing, the rows of groups that end later are counted.
  const fd = nodeDisk.open(join(dir, segmentName(segment)), "write");
  nodeDisk.write(fd, new Uint8Array(length), 0, length, offset);
  nodeDisk.close(fd);
  const { recovered } = open(dir);
  assert.deepEqual([...readAll(nodeDisk, dir, recovered).keys()], [1, 3, 4]);
});

test("a log whose folder was removed is the same log in a new one, and counts on", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const { log } = open(dir, at(7));
  assert.deepEqual(write(log, rows(1, 1)), [7]);
  const { nextOrdinal, logId, segments } = open(dir).recovered;
  assert.deepEqual([nextOrdinal, logId, segments.map(({ segment }) => segment)], [8, 5n, [3]]);
});
