import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { Ledger } from "../../src/wal/ledger.js";
import { Log } from "../../src/wal/log.js";
import { type Purge, purgeLog } from "../../src/wal/purge.js";
import type { LogRecord } from "../../src/wal/records.js";
import { surveyLog } from "../../src/wal/survey.js";
import { verifyLog } from "../../src/wal/verify.js";
import { temporaryFolder } from "../support/folder.js";
import { rows, seal } from "./sample.js";

const RUN = 7n;
const LIMITS = { ttlMs: 1e9, maxBytes: 1e9, now: Date.now };

function openLog(dir: string, segmentBytes = 1): ReturnType<typeof Log.open> {
  return Log.open({ dir, segmentBytes, disk: nodeDisk, now: Date.now, reserveBytes: 0 });
}

/** A log of one segment for each list of records, whose first `stored` rows of trades are stored. */
async function logOf(
  t: unknown,
  segments: readonly (readonly LogRecord[])[],
  stored: number,
  ledgerUpTo?: number,
): Promise<string> {
  const dir = join(await temporaryFolder(t), "wal");
  const { log } = openLog(dir);
  for (const records of segments) {
    for (const record of records) log.append(record);
    log.commit();
  }
  const table = { table: "trades", run: RUN, stored: [{ first: 1, last: stored }], skipped: [] };
  log.saveCursor({ logId: log.id, upTo: 1, tables: stored === 0 ? [] : [table] });
  if (ledgerUpTo !== undefined)
    log.saveLedger(Buffer.from(JSON.stringify({ version: 1, upTo: ledgerUpTo, answers: [] })));
  log.close();
  return dir;
}

function purge(dir: string, force = false): Purge {
  const { log, recovered } = openLog(dir);
  const done = purgeLog(log, recovered, force);
  log.close();
  return done;
}

const removed = (dir: string): number[] => purge(dir).removed.map(({ segment }) => segment);

describe("a purge", () => {
  test("removes the segments whose rows the cursor has, wherever they lie, and no other", async (t) => {
    const dir = await logOf(t, [[rows(1, 10)], [rows(11, 10)], [rows(21, 10)]], 10);
    assert.deepEqual(removed(dir), [1]);
    assert.deepEqual(surveyLog(dir).tables, [{ table: "trades", run: RUN, rows: 20, pending: 20 }]);
    assert.deepEqual(purge(dir, true).pending, [{ table: "trades", pending: 20 }]);
    assert.deepEqual(surveyLog(dir).tables, []);
  });

  test("leaves a seal whose batch is not stored, though the rows beside it are", async (t) => {
    const sealed = [[rows(11, 10)], [rows(1, 10), seal("1", 11, 10)], [rows(21, 1)]];
    assert.deepEqual(removed(await logOf(t, sealed, 10)), []);
    assert.deepEqual(removed(await logOf(t, sealed, 20)), [1, 2]);
  });

  test("leaves a split whose parent is not stored, and a skip that the cursor has not", async (t) => {
    const split = {
      kind: "split",
      table: "trades",
      run: RUN,
      parent: "1.0-5",
      children: ["1.0-2", "1.2-5"],
    } as const;
    const skip = { kind: "skip", table: "trades", run: RUN, firstSeq: 11, count: 10, batch: "1" } as const;
    const pending = [[rows(11, 10), seal("1", 11, 10)], [split], [rows(1, 10)], [rows(21, 1)]];
    assert.deepEqual(removed(await logOf(t, pending, 10)), [3]);
    assert.deepEqual(removed(await logOf(t, pending, 20)), [1, 2, 3]);
    const skipped = [[rows(11, 10)], [seal("1", 11, 10), skip], [rows(1, 10)], [rows(21, 1)]];
    assert.deepEqual(removed(await logOf(t, skipped, 10)), [1, 3]);
    assert.deepEqual(removed(await logOf(t, skipped, 20)), [1, 2, 3]);
  });

  test("leaves answers to idempotent requests that no checkpoint has", async (t) => {
    const end = {
      kind: "group_end",
      group: 5n,
      key: "k",
      bodyHash: "h",
      status: 200,
      answer: "",
      at: 1,
    } as const;
    const segments = [[{ ...rows(1, 10), group: 5n }, end], [rows(11, 10)]];
    assert.deepEqual(removed(await logOf(t, segments, 20)), [2]);
    assert.deepEqual(removed(await logOf(t, segments, 20, 1)), [2]);
    const covered = await logOf(t, segments, 20, 2);
    assert.equal(Ledger.restore(surveyedLedger(covered), LIMITS).coveredUpTo, 2);
    assert.deepEqual(removed(covered), [1, 2]);
  });
});

test("a purge leaves the end of a group as long as any row is pending: without it the group's rows would not count", async (t) => {
  const end = {
    kind: "group_end",
    group: 5n,
    key: "k",
    bodyHash: "h",
    status: 200,
    answer: "",
    at: 1,
  } as const;
  const dir = await logOf(t, [[{ ...rows(11, 10), group: 5n }], [end], [rows(1, 10)]], 10, 9);
  assert.deepEqual(removed(dir), [3]);
  assert.deepEqual(surveyLog(dir).tables, [{ table: "trades", run: RUN, rows: 10, pending: 10 }]);
});

function surveyedLedger(dir: string): Uint8Array {
  const { log, recovered } = openLog(dir);
  log.close();
  return recovered.ledger!;
}

test("a survey counts rows that were given up as settled, also before the cursor has them", async (t) => {
  const skip = { kind: "skip", table: "trades", run: RUN, firstSeq: 3, count: 4, batch: "1" } as const;
  const dir = await logOf(t, [[rows(1, 10), skip]], 0);
  const { tables, segments } = surveyLog(dir);
  assert.deepEqual(tables, [{ table: "trades", run: RUN, rows: 10, pending: 6 }]);
  assert.deepEqual(
    segments.map(({ pending }) => pending),
    [6],
  );
});

test("verify tells any flipped bit of a closed segment but those of padding", async (t) => {
  const dir = await logOf(t, [[rows(1, 2), rows(3, 1), seal("1", 1, 2)]], 0);
  const path = join(dir, "00000001.wal");
  const sound = readFileSync(path);
  assert.deepEqual((await verifyLog(dir, () => {})).damage, []);
  const unseen: number[] = [];
  for (let at = 0; at < sound.length; at += 1) {
    const bytes = Buffer.from(sound);
    bytes[at]! ^= 0x10;
    writeFileSync(path, bytes);
    const { damage, torn } = await verifyLog(dir, () => {});
    if (damage.length + torn.length === 0) unseen.push(at);
  }
  // Room in front of an eighth byte is zeros, and nothing reads it.
  for (const at of unseen) {
    const rest = sound.subarray(at, Math.ceil((at + 1) / 8) * 8);
    assert(
      rest.every((byte) => byte === 0),
      `a flip at byte ${at} was not seen`,
    );
  }
  assert(unseen.length < 30, `${unseen.length} of ${sound.length} flips not seen`);
});
