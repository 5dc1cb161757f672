import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { zstdCompress } from "../../src/base/zstd.js";
import { packerFor } from "../../src/sink/compression.js";
import { startTestEngine } from "../support/engine.js";

test("auto sends plain bodies on loopback and compressed ones elsewhere", async () => {
  const body = Buffer.alloc(10_000, "abc");
  for (const url of ["http://127.0.0.1:8123", "http://localhost:1", "http://[::1]:1"]) {
    assert.deepEqual(await (await packerFor("auto", [url]))(body), { body });
  }
  const packed = await (await packerFor("auto", ["https://clickhouse.example:8443"]))(body);
  assert.equal(packed.encoding, "lz4");
  assert.ok(packed.body.length < 1000);
});

test("the engine reads what was packed, whichever way", async (t) => {
  const { clickhouse } = await startTestEngine(t);
  await clickhouse.command("CREATE TABLE packed (how String, hash String) ENGINE = Memory");
  const text = randomBytes(50_000).toString("hex");
  const ways =
    zstdCompress === undefined
      ? (["none", "lz4", "gzip"] as const)
      : (["none", "lz4", "gzip", "zstd"] as const);
  for (const how of ways) {
    const packed = await (await packerFor(how, ["http://127.0.0.1"]))(Buffer.from(`${how},${text}\n`));
    await clickhouse.insert({ sql: "INSERT INTO packed FORMAT CSV", ...packed });
  }
  const [row] = await clickhouse.rows<{ hows: string[]; same: string }>(
    `SELECT arraySort(groupArray(how)) AS hows, countIf(hash = '${text}') AS same FROM packed`,
  );
  assert.deepEqual(row, { hows: [...ways].sort(), same: String(ways.length) });
});

test("zstd on a Node without it is refused with what to do", {
  skip: zstdCompress !== undefined && "this Node has zstd",
}, async () => {
  await assert.rejects(packerFor("zstd", ["http://127.0.0.1"]), {
    code: "CONFIG_INVALID",
    message: /has no zstd; use Node 22\.15 or newer, or lz4/,
  });
});
