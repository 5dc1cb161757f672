import assert from "node:assert/strict";
import { LogDiskError } from "../../src/wal/disk-error.js";
import { Log } from "../../src/wal/log.js";
import type { LogRecord } from "../../src/wal/records.js";
import { type Random, seeded } from "../support/random.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { readAll, rows, seal } from "./sample.js";

const DIR = "/log";

interface FaultRun {
  /** The call that fails, from 1 on. */
  readonly call: number;
  readonly code: string;
  /** Whether every later call fails too. */
  readonly forEver: boolean;
  readonly powerLoss: boolean;
}

/** Makes the same small log while one call of the disk fails; calls made in all, had none failed before. */
function runWithFault({ call, code, forEver, powerLoss }: FaultRun): number {
  const disk = new ScriptedDisk();
  disk.fault = (at) => (at === call || (forEver && at > call) ? code : undefined);
  const committed = new Map<number, LogRecord>();
  const log = again(forEver, () => Log.open(options(disk)).log);
  if (log !== undefined) useLog(log, forEver, committed);
  const calls = disk.calls;
  if (log !== undefined && !forEver) assert.equal(disk.descriptors, 0, "a descriptor was not closed");
  if (powerLoss) disk.losePower(seeded(call));
  else disk.kill();
  const { recovered } = Log.open(options(disk));
  assert.deepEqual(recovered.damage, []);
  const there = readAll(disk, DIR, recovered);
  for (const [ordinal, record] of committed)
    assert.deepEqual(there.get(ordinal), record, `record ${ordinal}`);
  for (const [ordinal, record] of there) assert.deepEqual(record, recordOf(ordinal));
  return calls;
}

function useLog(log: Log, forEver: boolean, committed: Map<number, LogRecord>): void {
  let oldest: number | undefined;
  again(forEver, () => log.tend());
  for (let n = 0; n < 6; n++) {
    for (let more = 0; more < 2; more++) log.append(recordOf(committed.size + 1 + more));
    const told = again(forEver, () => log.commit());
    if (told === undefined) return;
    assert.equal(told.upTo, committed.size + 2);
    oldest ??= told.places[0]!.place.segment;
    for (let more = 0; more < 2; more++) committed.set(committed.size + 1, recordOf(committed.size + 1));
  }
  again(forEver, () => log.saveCursor({ logId: log.id, upTo: committed.size, tables: [] }));
  again(forEver, () => log.saveLedger(Buffer.from("ledger")));
  const carried = again(forEver, () => log.carry(oldest!, () => true));
  assert.ok(forEver || carried!.places.length > 0);
  again(forEver, () => log.close());
}

/** A fault that goes away must be over with the next try; one that stays must not break anything. */
function again<T>(forEver: boolean, run: () => T): T | undefined {
  for (let tries = 0; tries < 2; tries++) {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof LogDiskError)) throw error;
    }
  }
  assert.ok(forEver, "the second try failed too");
  return undefined;
}

function options(disk: ScriptedDisk) {
  return { dir: DIR, segmentBytes: 400, disk, now: () => 1000, reserveBytes: 256 };
}

function recordOf(ordinal: number): LogRecord {
  return ordinal % 4 === 0 ? seal(String(ordinal), ordinal - 1, 1) : rows(ordinal, 1);
}

/** Each call of the run, in turn. */
export function eachCall(run: Omit<FaultRun, "call">, step = 1, random?: Random): number {
  const calls = runWithFault({ ...run, call: 0, forEver: false });
  for (let call = 1 + (random?.below(step) ?? 0); call <= calls; call += step) {
    try {
      runWithFault({ ...run, call });
    } catch (error) {
      throw new Error(`call ${call}: ${(error as Error).message}`, { cause: error });
    }
  }
  return calls;
}
