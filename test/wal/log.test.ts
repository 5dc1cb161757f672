import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Disk, nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import type { LogRecord } from "../../src/wal/records.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";
import { temporaryFolder } from "../support/folder.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { groupEnd, readAll, rows, seal, write } from "./sample.js";

const DIR = "/log";

function open(disk: Disk, more: { dir?: string; segmentBytes?: number; reserveBytes?: number } = {}) {
  return Log.open({
    dir: DIR,
    segmentBytes: 2048,
    disk,
    now: () => 1_795_000_000_000,
    reserveBytes: 0,
    ...more,
  });
}

const ALL_KINDS: readonly LogRecord[] = [
  rows(1, 10, { positions: [{ producer: 5n, position: 2n ** 40n }], run: 2n ** 64n - 1n }),
  rows(1, 3, { table: "fills", payload: Buffer.alloc(0), group: 9n, partition: "" }),
  seal("17", 1, 10),
  { kind: "split", table: "trades", run: 7n, parent: "17", children: ["17.0-5", "17.5-10"] },
  { kind: "skip", table: "trades", run: 7n, firstSeq: 4, count: 1, batch: "17.0-5" },
  groupEnd(9n, "ключ"),
];

test("every kind of record comes back as it was appended, from the file of a running log too", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const { log, recovered } = open(nodeDisk, { dir, segmentBytes: 1 << 20 });
  assert.equal(recovered.nextOrdinal, 1);
  assert.deepEqual(recovered.segments, []);
  for (const record of ALL_KINDS) log.append(record);
  const { upTo, places } = log.commit();
  assert.equal(upTo, 6);
  const path = join(dir, segmentName(1));
  const fd = nodeDisk.open(path, "read");
  const read = places.map(({ place }) => readRecord(nodeDisk, fd, place, log.id));
  nodeDisk.close(fd);
  assert.deepEqual(read, ALL_KINDS);
  const index = readIndex(nodeDisk, path);
  assert.deepEqual(
    index.map(({ ordinal, place }) => ({ ordinal, place })),
    places,
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(dir).mode & 0o777, 0o700);

  log.close();
  const again = open(nodeDisk, { dir });
  assert.deepEqual(readIndex(nodeDisk, path), index, "the index of a closed segment says the same as a scan");
  assert.deepEqual([...readAll(nodeDisk, dir, again.recovered).values()], ALL_KINDS);
  assert.deepEqual(
    again.recovered.marks.map(({ record }) => record),
    ALL_KINDS.slice(2),
  );
  assert.deepEqual(again.recovered.positions, new Map([[5n, new Map([["trades", 2n ** 40n]])]]));
  assert.equal(again.recovered.nextOrdinal, 7);
  assert.equal(again.log.id, log.id);
  again.log.close();
  assert.deepEqual(readdirSync(dir).toSorted(), ["00000001.wal", "cursor.1"]);
});

test("size counts live segments only: neither those that were removed nor the reserve, the cursor or what is in quarantine", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const first = open(nodeDisk, { dir }).log;
  for (let seq = 1; seq <= 40; seq += 1) write(first, rows(seq, 1, { payload: Buffer.alloc(500, seq) }));
  first.close();
  const sizes = (): number[] =>
    readdirSync(dir)
      .filter((name) => name.endsWith(".wal"))
      .map((name) => statSync(join(dir, name)).size);
  const sumOf = (all: readonly number[]): number => all.reduce((sum, size) => sum + size, 0);
  mkdirSync(join(dir, "quarantine"));
  writeFileSync(join(dir, "quarantine", segmentName(1)), Buffer.alloc(100_000));
  writeFileSync(join(dir, "cursor.2"), Buffer.alloc(100_000));
  const { log } = open(nodeDisk, { dir, reserveBytes: 1 << 20 });
  log.tend();
  const all = sizes();
  assert.ok(all.length >= 10 && log.reserveHeld);
  assert.equal(log.bytes, sumOf(all));
  for (const segment of [2, 5, 1]) log.unlink(segment);
  assert.equal(sizes().length, all.length - 3);
  assert.equal(log.bytes, sumOf(sizes()));
  log.close();
  const again = open(nodeDisk, { dir }).log;
  assert.equal(again.bytes, sumOf(sizes()));
  again.close();
});

test("a log rotates at its segment size, and goes on with the next ordinal after each start", () => {
  const disk = new ScriptedDisk();
  const wanted = new Map<number, LogRecord>();
  for (let start = 0; start < 4; start++) {
    const { log, recovered } = open(disk, { segmentBytes: 1024 });
    assert.deepEqual(readAll(disk, DIR, recovered), wanted);
    assert.deepEqual([recovered.damage, recovered.torn], [[], []]);
    for (let n = 0; n < 40; n++) {
      const record = rows(wanted.size + 1, 1);
      const [ordinal] = write(log, record);
      assert.equal(ordinal, wanted.size + 1);
      wanted.set(ordinal!, record);
    }
    if (start % 2 === 0) log.close();
    disk.kill();
  }
  const { log, recovered } = open(disk);
  assert.ok(recovered.segments.length > 8);
  assert.ok(recovered.segments.every(({ bytes, closed }) => closed && bytes > 64));
  assert.equal(
    log.bytes,
    recovered.segments.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  log.close();
  assert.equal(disk.descriptors, 0);
});

test("rows of a group count once its end is in the log, in whatever segment", () => {
  const disk = new ScriptedDisk();
  const first = open(disk, { segmentBytes: 64 });
  write(first.log, rows(1, 5, { group: 3n }));
  write(first.log, rows(6, 5));
  disk.kill();
  const second = open(disk, { segmentBytes: 64 });
  assert.deepEqual([...readAll(disk, DIR, second.recovered).keys()], [2]);
  assert.deepEqual(
    second.recovered.segments.flatMap(({ tables }) => tables.flatMap(({ ranges }) => ranges)),
    [{ first: 6, last: 10 }],
  );
  write(second.log, groupEnd(3n));
  disk.kill();
  const third = open(disk);
  assert.deepEqual([...readAll(disk, DIR, third.recovered).keys()], [1, 2, 3]);
});

test("carrying forward keeps ordinals, bytes and order, and removes the segment", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, { segmentBytes: 300 });
  const records = [rows(1, 2), seal("1", 1, 2), rows(3, 2), rows(5, 2), rows(7, 2)];
  for (const record of records) write(log, record);
  const before = log.bytes;
  const { places, lost } = log.carry(1, ({ record }) => record.kind === "seal" || record.kind === "rows");
  assert.ok(places.length > 0 && places.every(({ place }) => place.segment > 1));
  assert.deepEqual(lost, []);
  assert.ok(log.bytes !== before);
  write(log, rows(9, 2));
  disk.kill();
  const { recovered } = open(disk);
  assert.equal(
    recovered.segments.some(({ segment }) => segment === 1),
    false,
  );
  assert.deepEqual(
    [...readAll(disk, DIR, recovered)],
    [...records, rows(9, 2)].map((record, at) => [at + 1, record]),
  );
  assert.equal(recovered.nextOrdinal, 7);
});

test("a group that is carried forward stays in one segment, whatever its size", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, { segmentBytes: 5 << 20 });
  const payload = new Uint8Array(3 << 20);
  write(
    log,
    rows(1, 2, { payload }),
    rows(3, 2, { group: 9n, payload }),
    rows(5, 2, { group: 9n, payload }),
    groupEnd(9n),
  );
  write(log, rows(7, 2));
  const { places } = log.carry(1, () => true);
  const [, ...group] = places.map(({ place }) => place.segment);
  assert.deepEqual(new Set(group).size, 1, group.join());
});

test("a damaged record is not carried forward but kept in quarantine", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, { segmentBytes: 64 });
  write(log, rows(1, 2, { payload: Buffer.from("here the damage is") }), rows(3, 2));
  write(log, rows(5, 2));
  const path = join(DIR, segmentName(1));
  const bytes = disk.bytes(path);
  bytes[bytes.indexOf("the damage")]! ^= 1;
  disk.put(path, bytes);
  const { places, lost } = log.carry(1, () => true);
  assert.deepEqual([places.map(({ ordinal }) => ordinal), lost.map(({ ordinal }) => ordinal)], [[2], [1]]);
  assert.deepEqual(disk.list(join(DIR, "quarantine")), ["00000001-64"]);
});

test("of a record and its copy the first counts", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, { segmentBytes: 64 });
  write(log, rows(1, 2), seal("1", 1, 2));
  write(log, rows(3, 2));
  const kept = disk.bytes(join(DIR, segmentName(1)));
  log.carry(1, () => true);
  disk.put(join(DIR, segmentName(1)), kept);
  disk.kill();
  const { recovered } = open(disk);
  assert.deepEqual(recovered.segments.map(({ segment, dropped }) => [segment, dropped]).slice(0, 1), [
    [1, []],
  ]);
  assert.deepEqual(recovered.segments.at(-1)?.dropped, [{ first: 1, last: 2 }]);
  assert.equal(recovered.marks.length, 1);
  assert.deepEqual([...readAll(disk, DIR, recovered).keys()], [1, 2, 3]);
});

test("ordinals go on when all segments are unlinked", () => {
  const disk = new ScriptedDisk();
  const first = open(disk);
  write(first.log, rows(1, 2), rows(3, 2));
  first.log.close();
  const second = open(disk);
  second.log.unlink(1);
  disk.kill();
  const third = open(disk);
  assert.equal(third.recovered.nextOrdinal, 3);
  assert.equal(third.log.id, first.log.id);
  assert.deepEqual([...readAll(disk, DIR, third.recovered)], []);
});

test("the newest cursor that holds is used; one of another log, or past its end, is not", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  write(log, rows(1, 9));
  const cursor = (upTo: number) => ({
    logId: log.id,
    upTo,
    tables: [{ table: "trades", run: 7n, stored: [{ first: 1, last: 4 }], skipped: [{ first: 5, last: 5 }] }],
  });
  log.saveCursor(cursor(0));
  log.saveCursor(cursor(1));
  disk.kill();
  const opened = open(disk);
  assert.deepEqual(opened.recovered.cursor, cursor(1));
  opened.log.saveCursor(cursor(2));
  disk.kill();
  assert.equal(open(disk).recovered.cursor, undefined, "the log ends at 1");

  const other = new ScriptedDisk();
  write(open(other).log, rows(1, 9), rows(10, 1), rows(11, 1));
  other.kill();
  for (const name of ["cursor.0", "cursor.1"]) other.put(join(DIR, name), disk.bytes(join(DIR, name)));
  assert.equal(open(other).recovered.cursor, undefined);
});

test("the ledger comes back as it was saved last", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk);
  assert.equal(open(disk).recovered.ledger, undefined);
  log.saveLedger(Buffer.from("one"));
  log.saveLedger(Buffer.from("two"));
  disk.kill();
  assert.equal(String(open(disk).recovered.ledger), "two");
});

test("a record that was carried into one segment twice counts once", () => {
  const disk = new ScriptedDisk();
  const { log } = open(disk, { segmentBytes: 1024 });
  write(log, rows(1, 2), seal("1", 1, 2));
  for (let first = 3; log.bytes < 1024; first++) write(log, rows(first, 1));
  write(log, rows(50, 1));
  disk.fault = (_call, operation, path) =>
    operation === "close" && path.endsWith("1.wal") ? "EIO" : undefined;
  assert.throws(() => log.carry(1, ({ ordinal }) => ordinal < 3), { state: "failing" });
  disk.fault = () => undefined;
  log.carry(1, ({ ordinal }) => ordinal < 3);
  disk.kill();
  const { recovered } = open(disk);
  const there = readAll(disk, DIR, recovered);
  assert.deepEqual([...there.keys()].slice(0, 2), [1, 2]);
  assert.deepEqual(
    recovered.segments.flatMap(({ dropped }) => dropped),
    [],
  );
  assert.equal(recovered.marks.length, 1);
});
