import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import type { LogRecord } from "../../src/wal/records.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { readAll } from "./sample.js";

const DIR = "/log";
const LOG_ID = 0x1122_3344_5566_7788n;
const CREATED_AT = 1_795_000_000_000;

/** What the files in `golden/` hold: closed in order, left by a kill, and with a copy that was carried forward. */
const RECORDS: readonly LogRecord[] = [
  {
    kind: "rows",
    table: "trades",
    partition: "2026-11-22",
    run: 0xfedc_ba98_7654_3210n,
    firstSeq: 1,
    count: 3,
    positions: [
      { producer: 77n, position: 2n ** 40n },
      { producer: 78n, position: 5n },
    ],
    group: 0n,
    payload: Buffer.from("a block"),
  },
  {
    kind: "rows",
    table: "orders",
    partition: "",
    run: 1n,
    firstSeq: 2 ** 40,
    count: 200,
    positions: [],
    group: 9n,
    payload: Buffer.alloc(0),
  },
  {
    kind: "seal",
    table: "trades",
    partition: "2026-11-22",
    run: 0xfedc_ba98_7654_3210n,
    batch: "17",
    generation: 1,
    frames: [{ firstSeq: 1, count: 3 }],
    rows: 3,
    checksum: 305_419_896,
  },
  { kind: "split", table: "trades", run: 1n, parent: "17", children: ["17.0-2", "17.2-3"] },
  { kind: "skip", table: "trades", run: 1n, firstSeq: 2, count: 1, batch: "17.0-2" },
  {
    kind: "group_end",
    group: 9n,
    key: "a key",
    bodyHash: "00ff",
    status: 200,
    answer: "größer",
    at: CREATED_AT,
  },
];

function golden(name: string): Buffer {
  return readFileSync(resolve("test/wal/golden", name));
}

function recovered(name: string): Map<number, LogRecord> {
  const disk = new ScriptedDisk();
  disk.makeFolder(DIR);
  disk.put(join(DIR, segmentName(1)), golden(name));
  const { recovered } = Log.open({ dir: DIR, segmentBytes: 1 << 20, disk, now: () => 0, reserveBytes: 0 });
  assert.deepEqual([recovered.logId, recovered.damage, recovered.torn], [LOG_ID, [], []]);
  assert.equal(recovered.segments[0]!.createdAt, CREATED_AT);
  return readAll(disk, DIR, recovered);
}

for (const name of ["v1-closed.wal", "v1-open.wal"]) {
  test(`${name} is readable`, () => {
    assert.deepEqual(
      [...recovered(name)],
      RECORDS.map((record, at) => [at + 1, record]),
    );
  });
}

test("version 1 is what is written today", () => {
  const disk = new ScriptedDisk();
  const resume = { at: 1, groups: new Map(), logId: LOG_ID, nextSegment: 1 };
  const { log } = Log.open({
    dir: DIR,
    segmentBytes: 1 << 20,
    disk,
    now: () => CREATED_AT,
    reserveBytes: 0,
    resume,
  });
  for (const [at, record] of RECORDS.entries()) {
    log.append(record);
    if (at % 2 === 1) log.commit();
  }
  const path = join(DIR, segmentName(1));
  const open = golden("v1-open.wal");
  assert.deepEqual(disk.bytes(path).subarray(0, open.length), open);
  assert.ok(
    disk
      .bytes(path)
      .subarray(open.length)
      .every((byte) => byte === 0),
  );
  log.close();
  assert.deepEqual(disk.bytes(path), golden("v1-closed.wal"));
});
