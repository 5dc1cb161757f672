import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "./disk-script.js";
import { openClient, row, upTo } from "./log-client-rig.js";
import { seqsIn } from "./records-in.js";
import { seal } from "./sample.js";

/** A small file system of its own; undefined where none can be mounted. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const folder = await temporaryFolder(t);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]).status !== 0) {
    t.skip("a small file system can not be mounted here");
    return undefined;
  }
  t.after(() => execFileSync("umount", ["--lazy", folder]));
  return folder;
}

test("a disk that fills up costs nothing that was acknowledged, lets the log empty, and heals", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(30 * MIB));
  const dir = join(disk, "wal");
  const options = { segmentBytes: 4 * MIB, reserveBytes: 8 * MIB, emergencyDisk: 1 };
  const { client, recovered, states, script } = await openClient(t, dir, options);
  const safe: number[] = [];
  const append = async (seq: number): Promise<void> => {
    await client.append([row(seq, MIB)]);
    safe.push(seq);
  };
  const first = recovered.nextOrdinal;
  let seq = 0;
  while (client.state !== "full") {
    seq += 1;
    await append(seq);
  }
  assert.ok(seq > 10, `full after ${seq}`);
  assert.ok(states().includes("nearly_full"), "told before");
  const more = upTo(9).map((index) => append(seq + index));
  await client.append([seal("1", 1, 1)]);
  await client.saveCursor({ logId: client.logId, upTo: first, tables: [] });
  assert.equal(safe.length, seq);
  assert.equal(client.refusing(), "wal_full");
  await client.close(100);
  assert.ok((await Promise.allSettled(more)).every(({ status }) => status === "rejected"));
  const again = await openClient(t, dir, options);
  assert.deepEqual(seqsIn(dir, again.client.logId), safe);
  const late = again.client.append([row(1000, MIB)]);
  rmSync(ballast);
  await late;
  await until(() => again.client.state === "ok");
  assert.deepEqual(seqsIn(dir, again.client.logId), [...safe, 1000]);
  script.clear();
});

test("nothing is written to the empty place of a disk that was unmounted, and all is as before when it is back", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const place = await temporaryFolder(t);
  mkdirSync(join(disk, "wal"));
  const mount = (): unknown => execFileSync("mount", ["--bind", disk, place]);
  mount();
  t.after(() => execFileSync("umount", ["--lazy", place]));
  const dir = join(place, "wal");
  const { client, troubles } = await openClient(t, dir);
  await client.append([row(1)]);
  execFileSync("umount", ["--lazy", place]);
  await until(() => client.state === "missing");
  const waiting = client.append([row(2)]);
  assert.deepEqual(readdirSync(place), []);
  mount();
  await waiting;
  await until(() => client.state === "ok");
  assert.deepEqual(troubles(), ["missing", "ok"]);
  assert.deepEqual(seqsIn(dir, client.logId), [1, 2]);
});
