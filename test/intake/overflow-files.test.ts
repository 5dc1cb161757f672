import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { syncOwnFiles, syncPath } from "../../src/intake/overflow-files.js";
import { temporaryFolder } from "../support/folder.js";

test("a process's files are synced under whatever name they have by then, and the folders that name them", async (t) => {
  const data = await temporaryFolder(t);
  const folder = join(data, "overflow");
  const orders = join(folder, "orders");
  const synced: string[] = [];
  const sync = async (path: string): Promise<boolean> => {
    // Between the look at the folder and this file's turn.
    if (path.endsWith("7.a-1.ndjson.open")) await rename(path, path.slice(0, -".open".length));
    if (path.endsWith("7.a-3.ndjson")) await rm(path);
    const isThere = await syncPath(path);
    if (isThere) synced.push(path.slice(data.length));
    return isThere;
  };
  await syncOwnFiles(folder, "7.a", sync);
  assert.deepEqual(synced, [], "there may be none");
  await mkdir(orders, { recursive: true });
  await writeFile(join(folder, "stray"), "x");
  for (const name of ["7.a-1.ndjson.open", "7.a-2.ndjson.open", "7.a-3.ndjson", "8.b-1.ndjson"])
    await writeFile(join(orders, name), "{}\n");
  await syncOwnFiles(folder, "7.a", sync);
  assert.deepEqual(synced.sort(), [
    "",
    "/overflow",
    "/overflow/orders",
    "/overflow/orders/7.a-1.ndjson",
    "/overflow/orders/7.a-2.ndjson.open",
  ]);
});
