import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { LogDiskError } from "../../src/wal/disk-error.js";
import { temporaryFolder } from "../support/folder.js";

test("folders and files are for their owner alone", async (t) => {
  const folder = join(await temporaryFolder(t), "a/wal");
  nodeDisk.makeFolder(folder);
  nodeDisk.makeFolder(folder);
  const path = join(folder, "x");
  nodeDisk.close(nodeDisk.create(path));
  nodeDisk.syncFolder(folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => nodeDisk.create(path), { code: "EEXIST" });
  assert.deepEqual(nodeDisk.list(folder), ["x"]);
});

test("what is written at a place is read from there", async (t) => {
  const path = join(await temporaryFolder(t), "x");
  const fd = nodeDisk.create(path);
  assert.equal(nodeDisk.write(fd, new Uint8Array([1, 2, 3, 4]), 1, 2, 5), 2);
  nodeDisk.datasync(fd);
  assert.equal(nodeDisk.size(fd), 7);
  nodeDisk.truncate(fd, 6);
  nodeDisk.close(fd);
  const again = nodeDisk.open(path, "read");
  const bytes = new Uint8Array(8).fill(9);
  assert.equal(nodeDisk.read(again, bytes, 2, 4, 4), 2);
  assert.deepEqual([...bytes], [9, 9, 0, 2, 9, 9, 9, 9]);
  assert.throws(() => nodeDisk.write(again, bytes, 0, 1, 0), { code: "EBADF" });
  nodeDisk.close(again);
  nodeDisk.rename(path, `${path}2`);
  nodeDisk.unlink(`${path}2`);
  assert.throws(() => nodeDisk.open(path, "read"), { code: "ENOENT" });
});

test("the space of the file system is known, its used share as df tells it", async (t) => {
  const folder = await temporaryFolder(t);
  const { free, total } = nodeDisk.space(folder);
  assert.ok(free > 0 && free <= total);
  const percent = /(\d+)%/.exec(execFileSync("df", ["-P", folder], { encoding: "utf8" }))![1];
  assert.ok(
    Math.abs((1 - free / total) * 100 - Number(percent)) < 1.5,
    `${free} of ${total}, df: ${percent} %`,
  );
});

test("a failure of the disk has a state with a name", () => {
  const states = [
    "ENOSPC",
    "EDQUOT",
    "EROFS",
    "EIO",
    "ENOENT",
    "EMFILE",
    "ENFILE",
    "EACCES",
    "EPERM",
    "EWHAT",
  ].map((code) => LogDiskError.of("/x", Object.assign(new Error(code), { code })).state);
  assert.deepEqual(states, [
    "full",
    "full",
    "read_only",
    "failing",
    "missing",
    "too_many_files",
    "too_many_files",
    "denied",
    "denied",
    "unknown",
  ]);
});
