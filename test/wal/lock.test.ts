import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { FolderLock } from "../../src/wal/lock.js";
import { temporaryFolder } from "../support/folder.js";

const CHILD = fileURLToPath(new URL("./lock-child.js", import.meta.url));
/** Systems without abstract sockets have the file alone. */
const PLATFORMS = ["linux", "darwin"] as const;

async function holder(t: TestContext, dir: string, platform: NodeJS.Platform): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CHILD, dir, platform], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout!, "data");
  return child;
}

async function refused(dir: string, platform: NodeJS.Platform = process.platform): Promise<string> {
  const error = await FolderLock.take(dir, platform).then(
    () => assert.fail("taken"),
    (thrown: unknown) => thrown as { code: string; message: string },
  );
  assert.equal(error.code, "WAL_LOCKED");
  return error.message;
}

for (const platform of PLATFORMS) {
  test(`a folder held by another process is refused by name, and free once that was killed (${platform})`, async (t) => {
    const dir = await temporaryFolder(t);
    const child = await holder(t, dir, platform);
    assert.match(await refused(dir, platform), new RegExp(`held by process ${child.pid}, since 20\\d\\d-`));
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await FolderLock.take(dir, platform)).release();
    assert.ok(!existsSync(join(dir, "lock")));
  });
}

test("two recorders of one process exclude each other, by any path to the folder", async (t) => {
  const dir = await temporaryFolder(t);
  const link = `${dir}-link`;
  symlinkSync(dir, link);
  t.after(() => rmSync(link));
  const lock = await FolderLock.take(dir);
  assert.match(await refused(link), /held by this process, since/);
  assert.match(await refused(dir), /data_dir \(or wal\.dir\) of its own/);
  await lock.release();
  await (await FolderLock.take(link)).release();
});

test("what a dead thread of this process held is free at once", async (t) => {
  const dir = await temporaryFolder(t);
  const code = `import(${JSON.stringify(new URL("../../src/wal/lock.js", import.meta.url).href)})
    .then(({ FolderLock }) => FolderLock.take(${JSON.stringify(dir)})).then(() => { throw new Error("dies"); });`;
  const worker = new Worker(code, { eval: true });
  worker.on("error", () => {});
  await new Promise((resolve) => worker.once("exit", resolve));
  assert.equal((JSON.parse(readFileSync(join(dir, "lock"), "utf8")) as { pid: number }).pid, process.pid);
  const before = performance.now();
  await (await FolderLock.take(dir)).release();
  // Who has to watch the holder's beat takes 3.5 s.
  assert.ok(performance.now() - before < 3000);
});

/** The file of a holder that lives, with other words in it. */
async function leave(t: TestContext, change: (holder: Record<string, unknown>) => object): Promise<string> {
  const dir = await temporaryFolder(t);
  const lock = await FolderLock.take(dir, "darwin");
  const file = join(dir, "lock");
  const text = readFileSync(file, "utf8");
  await lock.release();
  writeFileSync(file, JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)));
  return dir;
}

for (const platform of PLATFORMS) {
  test(`a process that got a dead holder's id does not hold its folder (${platform})`, async (t) => {
    const dir = await leave(t, (was) => ({ ...was, pid: process.ppid, started: "1" }));
    await (await FolderLock.take(dir, platform)).release();
  });
}

test("a holder that lives is believed by the file alone, where its socket is not seen", async (t) => {
  const dir = await temporaryFolder(t);
  const child = await holder(t, dir, "darwin");
  assert.match(await refused(dir, "linux"), new RegExp(`process ${child.pid}`));
});

test("in another container's file it is the beat that counts", async (t) => {
  const dir = await leave(t, (was) => ({ ...was, world: "elsewhere", pid: 1 }));
  const file = join(dir, "lock");
  const touch = setInterval(() => utimesSync(file, new Date(), new Date()), 50);
  assert.match(await refused(dir), /held by process 1/);
  clearInterval(touch);
  const old = Date.now() / 1000 - 6;
  utimesSync(file, old, old);
  await (await FolderLock.take(dir)).release();
});

test("a folder that cannot be made says why", async (t) => {
  const file = join(await temporaryFolder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(FolderLock.take(file), { code: "WAL_DISK" });
  await assert.rejects(FolderLock.take(join(file, "wal")), {
    code: "WAL_DISK",
    message: /the folder is gone/,
  });
});

test("a file cut short by a crash keeps nobody out for long", async (t) => {
  const dir = await temporaryFolder(t);
  writeFileSync(join(dir, "lock"), '{"pid":12');
  const old = Date.now() / 1000 - 6;
  utimesSync(join(dir, "lock"), old, old);
  await (await FolderLock.take(dir)).release();
});
