import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.js";
import { seeded } from "../support/random.js";
import { PowerLossDisk } from "./power-loss-disk.js";

const TEXT = Buffer.from("acknowledged");

test("a power cut leaves what was synced, bytes and names, and nothing else", async (t) => {
  const folder = await temporaryFolder(t);
  const disk = new PowerLossDisk({ early: 0, random: seeded(1) });
  const path = join(folder, "a");
  const fd = disk.create(path);
  disk.write(fd, TEXT, 0, TEXT.length, 0);
  disk.datasync(fd);
  assert.equal(disk.size(fd), TEXT.length);
  assert.equal(existsSync(path), false, "its name is not on the disk");
  disk.syncFolder(folder);
  assert.deepEqual(readFileSync(path), TEXT, "bytes synced before the name");
  disk.write(fd, TEXT, 0, TEXT.length, TEXT.length);
  disk.truncate(fd, TEXT.length + 3);
  const back = Buffer.alloc(100);
  assert.equal(disk.read(fd, back, 0, 100, 0), TEXT.length + 3, "the process sees its own writes");
  assert.deepEqual(readFileSync(path), TEXT);
  disk.datasync(fd);
  assert.equal(readFileSync(path, "utf8"), "acknowledgedack");
  disk.rename(path, join(folder, "b"));
  assert.deepEqual(disk.list(folder), ["b"]);
  assert.throws(() => disk.open(path, "read"), { code: "ENOENT" });
  assert.ok(existsSync(path));
  disk.syncFolder(folder);
  assert.ok(!existsSync(path) && existsSync(join(folder, "b")));
  disk.unlink(join(folder, "b"));
  assert.ok(existsSync(join(folder, "b")));
  disk.syncFolder(folder);
  assert.equal(existsSync(join(folder, "b")), false);
});

test("a disk may write early, in part and in another order, and a lying one never does", async (t) => {
  const folder = await temporaryFolder(t);
  const early = new PowerLossDisk({ early: 1, random: seeded(3) });
  const fd = early.create(join(folder, "a"));
  const pages = Buffer.alloc(16_384, 1);
  early.write(fd, pages, 0, pages.length, 0);
  early.write(fd, pages, 0, pages.length, pages.length);
  const left = readFileSync(join(folder, "a"));
  const written = left.reduce((sum, byte) => sum + byte, 0);
  assert.ok(written > 0 && written < 2 * pages.length, `${written} of ${2 * pages.length} bytes`);
  early.datasync(fd);
  assert.deepEqual(readFileSync(join(folder, "a")), Buffer.alloc(32_768, 1));
  const liar = new PowerLossDisk({ early: 0, random: seeded(1), lies: true });
  const other = liar.create(join(folder, "b"));
  liar.write(other, TEXT, 0, TEXT.length, 0);
  liar.datasync(other);
  liar.syncFolder(folder);
  assert.equal(existsSync(join(folder, "b")), false);
});
