import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { ask, startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

test("a full disk is code 243, for bodies and for results, and reading goes on", async (t) => {
  let mounted: string | undefined;
  // Before the folder's own removal; lazily, for the engine still runs then.
  t.after(() => {
    if (mounted !== undefined) execFileSync("umount", ["--lazy", mounted]);
  });
  const folder = await temporaryFolder(t);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]).status !== 0) {
    t.skip("a small file system can not be mounted here");
    return;
  }
  mounted = folder;
  const { engine, clickhouse } = await startTestEngine(t, { dataDir: join(folder, "clickhouse") });
  await clickhouse.command("CREATE TABLE full (s String) ENGINE = MergeTree ORDER BY tuple()");
  await clickhouse.command("INSERT INTO full VALUES ('kept')");
  const search = { query: "INSERT INTO full FORMAT RawBLOB" };
  const body = await ask(engine, { search, body: Buffer.alloc(40 * 2 ** 20, "x") });
  assert.deepEqual([body.status, body.headers["x-clickhouse-exception-code"]], [500, "243"], body.text);
  const result = await ask(engine, {
    body: "SELECT randomPrintableASCII(1000) FROM numbers(50000)",
    search: { wait_end_of_query: "1" },
  });
  assert.deepEqual([result.status, result.headers["x-clickhouse-exception-code"]], [500, "243"]);
  assert.equal(await clickhouse.text("SELECT s FROM full"), "kept\n");
});
