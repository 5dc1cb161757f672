import assert from "node:assert/strict";
import { test } from "node:test";
import { GIB, MIB } from "../../src/base/units.js";
import type { DiskTrouble } from "../../src/wal/disk-error.js";
import { LogGrowth } from "../../src/wal/log-growth.js";
import { LogHealth, UNSYNCED_MAX } from "../../src/wal/log-state.js";

const LIMITS = { maxBytes: GIB, reserveBytes: 64 * MIB, emergencyDisk: 0.9 };
const ROOMY = { free: 50 * GIB, total: 100 * GIB, bytes: 0, reserved: true };

function health(): LogHealth {
  const made = new LogHealth(LIMITS);
  made.measured(ROOMY);
  return made;
}

test("a log of which nothing is known yet is ok and takes rows", () => {
  const unknown = new LogHealth(LIMITS);
  assert.deepEqual([unknown.state(0).state, unknown.refusing(0)], ["ok", undefined]);
});

test("each trouble of the disk has a state, and rows are refused only once too much waits", () => {
  const states: Record<DiskTrouble, string> = {
    full: "full",
    read_only: "read_only",
    failing: "failing",
    missing: "missing",
    too_many_files: "too_many_files",
    denied: "denied",
    stalled: "failing",
    unknown: "failing",
  };
  for (const [trouble, state] of Object.entries(states)) {
    const sick = health();
    sick.troubled({ state: trouble as DiskTrouble, message: "why" });
    sick.waiting(UNSYNCED_MAX);
    assert.deepEqual([sick.state(0), sick.refusing(0)], [{ state, reason: "why" }, undefined]);
    sick.waiting(UNSYNCED_MAX + 1);
    assert.equal(sick.refusing(0), `wal_${state}`);
    sick.waiting(0);
    assert.deepEqual([sick.refusing(0), sick.refusing(0, true)], [undefined, `wal_${state}`]);
    sick.waiting(UNSYNCED_MAX + 1);
    sick.troubled(undefined);
    assert.deepEqual([sick.state(0).state, sick.refusing(0)], ["ok", "wal_slow"]);
  }
});

test("a commit of more than a second is slow until a quick one, or five seconds", () => {
  const disk = health();
  disk.committed(1000, 0);
  assert.equal(disk.state(0).state, "ok");
  disk.took(1001, 10_000);
  assert.deepEqual(disk.state(10_000), { state: "slow", reason: "a commit to the disk takes 1001 ms" });
  disk.committed(3, 10_001);
  assert.equal(disk.state(10_001).state, "ok");
  disk.committed(1500, 20_000);
  assert.equal(disk.state(24_999).state, "slow");
  assert.equal(disk.state(25_000).state, "ok");
});

test("a disk or a log that fills is told before rows are refused, whatever the reserve", () => {
  const cases = [
    [{ free: 20 * GIB }, "ok", undefined],
    [{ free: 14 * GIB }, "nearly_full", undefined],
    [{ free: 10 * GIB }, "nearly_full", "wal_emergency_disk"],
    [{ bytes: 970 * MIB }, "ok", undefined],
    [{ bytes: 980 * MIB }, "nearly_full", undefined],
    [{ bytes: GIB }, "nearly_full", "wal_max"],
    [{ total: 130 * MIB, free: 128 * MIB }, "ok", undefined],
    [{ total: 130 * MIB, free: 127 * MIB }, "nearly_full", undefined],
  ] as const;
  for (const [facts, state, refusing] of cases) {
    const disk = health();
    disk.measured({ ...ROOMY, ...facts });
    assert.deepEqual(
      [disk.state(0).state, disk.refusing(0), disk.limit],
      [state, refusing, refusing],
      JSON.stringify(facts),
    );
  }
});

test("without its reserve the disk is full, and a thread that is not there comes before everything", () => {
  const disk = health();
  disk.measured({ ...ROOMY, reserved: false });
  assert.equal(disk.state(0).state, "full");
  disk.troubled({ state: "failing", message: "EIO" });
  assert.equal(disk.state(0).state, "failing");
  disk.down("it died");
  assert.deepEqual(disk.state(0), { state: "down", reason: "it died" });
});

test("the time until a limit follows from the last minute, the nearer limit first", () => {
  const growth = new LogGrowth();
  assert.equal(growth.secondsUntil(100, 100), undefined);
  for (let second = 0; second < 200; second += 1)
    // Nothing for a while, then 10 bytes a second of which the log has the half.
    growth.sample(second * 1000, {
      bytes: Math.max(0, second - 120) * 5,
      free: 10_000 - Math.max(0, second - 120) * 10,
    });
  assert.equal(growth.secondsUntil(1000, 1000), 100);
  assert.equal(growth.secondsUntil(100, 1000), 20);
  assert.equal(growth.secondsUntil(-5, 1000), 0);
  const steady = new LogGrowth();
  for (const at of [0, 1000]) steady.sample(at, { ...ROOMY });
  assert.equal(steady.secondsUntil(1, 1), undefined);
});
