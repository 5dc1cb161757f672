import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { loadConfig } from "../../src/config/load.js";
import { ServiceLetters } from "../../src/service/dead-letters.js";
import { deadLettersFolder } from "../../src/service/open.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import { temporaryFolder } from "../support/folder.js";

test("letters are tried by one at a time, and a service that ends does not wait for a ClickHouse that says nothing", async (t) => {
  const cwd = await temporaryFolder(t);
  const silent = createServer((socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  }).listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { config } = loadConfig({ file: undefined, env: {}, set: [`clickhouse.url=${url}`], cwd });
  const files = await DeadLetters.open(deadLettersFolder(config), 1n, assert.fail);
  const origin = { run: "1", seq: null, source: null, source_seq: null };
  await files.add({
    ...origin,
    ...{ table: "orders", recorder: "r", code: "VALUE_REJECTED", reason: "no", body: { text: "{}" } },
  });
  await files.close();
  const clickhouse = new ClickHouse({ url, user: "default", database: "coldpath" });
  t.after(() => clickhouse.close());
  const letters = new ServiceLetters(config, clickhouse);
  const asked = once(silent, "connection");
  const tried = assert.rejects(letters.retry({}), { code: "RECORDER_CLOSED" });
  await assert.rejects(letters.retry({}), { code: "DEAD_LETTERS_LOCKED" });
  await asked;
  await letters.close();
  await tried;
});
