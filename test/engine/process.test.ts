import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { Engine, type EngineState } from "../../src/engine/engine.js";
import { ask, startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function answers(clickhouse: ClickHouse): Promise<boolean> {
  return clickhouse.text("SELECT 1", { timeoutMs: 1000 }).then(
    () => true,
    () => false,
  );
}

interface Owner {
  readonly process: ChildProcess;
  readonly url: string;
  readonly pid: number;
}

/** Another process that starts an engine on the folder. */
async function startOwner(t: TestContext, dataDir: string): Promise<Owner> {
  const script = fileURLToPath(new URL("./owner.js", import.meta.url));
  const owner = spawn(process.execPath, [script, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => owner.kill("SIGKILL"));
  const [line] = (await once(owner.stdout, "data")) as [Buffer];
  const { url, pid } = JSON.parse(line.toString()) as { url: string; pid: number };
  return { process: owner, url, pid };
}

test("an engine ends with the process that started it, even when that is killed", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  const owner = await startOwner(t, dataDir);
  assert.ok(isAlive(owner.pid));
  owner.process.kill("SIGKILL");
  await until("the end of the engine", () => !isAlive(owner.pid));
  const engine = await Engine.start({ dataDir });
  await engine.close();
});

test("an engine of another process is joined, and left alone on close", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  const owner = await startOwner(t, dataDir);
  const joined = await Engine.startOrJoin({ dataDir });
  assert.deepEqual(
    [joined.url, joined.pid, joined.isOwner, joined.state],
    [owner.url, owner.pid, false, "up"],
  );
  assert.equal((await ask(joined, { body: "CREATE TABLE seen (a UInt8) ENGINE = Memory" })).status, 200);
  await joined.close();
  assert.ok(isAlive(owner.pid));
});

test("a joined engine whose owner ended is down, and one of its own takes its place", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  const owner = await startOwner(t, dataDir);
  const joined = await Engine.startOrJoin({ dataDir, heartbeatMs: 20 });
  t.after(() => joined.close());
  const reasons: (string | undefined)[] = [];
  joined.on("state", (state, reason) => void reasons.push(`${state} ${reason?.message ?? ""}`));
  owner.process.kill("SIGKILL");
  await until("an engine of its own", () => joined.state === "up" && joined.pid !== owner.pid);
  assert.equal(
    reasons[0],
    `down the embedded ClickHouse of another process (process ${owner.pid}) has ended`,
  );
  assert.equal(joined.isOwner, true);
  assert.equal((await ask(joined, { body: "SELECT 1" })).text, "1\n");
});

test("an endpoint that nobody serves any more is not joined", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  // Something listens at the old address, but it is not that engine.
  const other = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOk.\n"));
  other.listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  mkdirSync(dataDir);
  for (const text of [
    `{"url":"http://127.0.0.1:${port}","pid":1,"bootId":"0123456789abcdef"}`,
    '{"url":"http://127.0.0.1:1","pid":1,"bootId":"0123456789abcdef"}',
    "{ half a li",
  ]) {
    writeFileSync(join(dataDir, "endpoint.json"), text);
    const engine = await Engine.startOrJoin({ dataDir });
    assert.equal(engine.isOwner, true);
    assert.equal(JSON.parse(readFileSync(join(dataDir, "endpoint.json"), "utf8")).url, engine.url);
    await engine.close();
  }
});

test("two processes that start at once share one engine", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  const engines = await Promise.all([Engine.startOrJoin({ dataDir }), Engine.startOrJoin({ dataDir })]);
  t.after(() => Promise.all(engines.map((engine) => engine.close())));
  assert.equal(engines[0].url, engines[1].url);
  assert.equal(engines.filter((engine) => engine.isOwner).length, 1);
});

test("a killed engine is started again at the same address with every acknowledged row", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t);
  await clickhouse.command("CREATE TABLE acked (a UInt64) ENGINE = MergeTree ORDER BY a");
  const { url } = engine;
  const boots = new Set<string>();
  let acked = 0;
  for (let round = 0; round < 2; round++) {
    for (let batch = 0; batch < 20; batch++) {
      const body = Buffer.from(Array.from({ length: 100 }, (_, index) => `${acked + index}\n`).join(""));
      await clickhouse.insert({ sql: "INSERT INTO acked FORMAT TSV", body });
      acked += 100;
    }
    boots.add((await clickhouse.life()).host);
    const states: EngineState[] = [];
    const listen = (state: EngineState): void => void states.push(state);
    engine.on("state", listen);
    process.kill(engine.pid!, "SIGKILL");
    await until("the restart", () => states.includes("up"));
    engine.off("state", listen);
    assert.deepEqual(states, ["down", "starting", "up"]);
    assert.equal(engine.url, url);
    const counted = await clickhouse.text("SELECT count(), uniqExact(a), max(a) + 1 FROM acked");
    assert.equal(counted, `${acked}\t${acked}\t${acked}\n`);
  }
  assert.equal(boots.size, 2, "each life has a name of its own");
});

test("an engine that hangs is killed and started again", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t, { heartbeatMs: 50, hungAfterMs: 1000 });
  const pid = engine.pid!;
  const reasons: string[] = [];
  engine.on("state", (_state, reason) => {
    if (reason !== undefined) reasons.push(reason.message);
  });
  process.kill(pid, "SIGSTOP");
  await until("the restart", () => engine.state === "up" && engine.pid !== pid);
  assert.equal(isAlive(pid), false);
  assert.match(reasons[0]!, new RegExp(`process ${pid}\\) did not answer for \\d+ ms`));
  assert.ok(await answers(clickhouse));
});

test("an engine that is only busy is not taken for hung", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t, { heartbeatMs: 50, hungAfterMs: 5000 });
  const pid = engine.pid;
  const sql = "SELECT max(sipHash64(number)) FROM numbers(40000000)";
  await Promise.all(Array.from({ length: 4 }, () => clickhouse.text(sql, { settings: { max_threads: 2 } })));
  assert.deepEqual([engine.pid, engine.state], [pid, "up"]);
});

test("an engine whose answers nobody could read is not taken for hung", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t, { heartbeatMs: 50, hungAfterMs: 2000 });
  const pid = engine.pid;
  // The supervisor stands still, as in a long computation or on a suspended host.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
  assert.deepEqual([engine.pid, engine.state], [pid, "up"]);
});

test("close lets a running statement finish and leaves no process", async (t) => {
  const { engine, clickhouse } = await startTestEngine(t);
  const pid = engine.pid!;
  const last = clickhouse.text("SELECT sleep(2)");
  await until(
    "the start",
    async () =>
      (await clickhouse.text("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep(2)%'")) ===
      "1\n",
  );
  await engine.close();
  assert.equal(isAlive(pid), false);
  assert.equal(await last, "0\n");
  assert.equal(engine.state, "closed");
});

test("a damaged folder is refused with what the engine says of it", async (t) => {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  const first = await Engine.start({ dataDir });
  assert.equal((await ask(first, { body: "CREATE DATABASE shop" })).status, 200);
  await first.close();
  writeFileSync(join(dataDir, "db", "metadata", "shop.sql"), "garbage");
  await assert.rejects(Engine.start({ dataDir }), {
    code: "ENGINE_FOLDER_DAMAGED",
    message: /cannot open its data in .*db; put back a copy.*Code: 62\. .*metadata\/shop\.sql/,
  });
});

test("a port in use is named", async (t) => {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  await assert.rejects(Engine.start({ dataDir, listen: { host: "127.0.0.1", port } }), {
    code: "ENGINE_FAILED",
    message: new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}`),
  });
  const elsewhere = await Engine.start({ dataDir });
  await elsewhere.close();
});

const shared = await startTestEngine({ after });

describe("an engine used in turn", () => {
  const { engine, clickhouse, dataDir } = shared;

  test("a folder in use is refused at once, with the folder and the process that holds it", async () => {
    const started = performance.now();
    await assert.rejects(Engine.start({ dataDir }), {
      code: "ENGINE_FOLDER_LOCKED",
      message: `the data folder ${dataDir} is used by process ${engine.pid}; stop that one, or choose another folder`,
    });
    assert.ok(performance.now() - started < 10_000);
    assert.equal((await ask(engine, { body: "SELECT 1" })).text, "1\n");
  });

  test("after kill() the engine stays down until restart()", async () => {
    const { url, pid } = engine;
    await clickhouse.command("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a");
    engine.kill();
    assert.deepEqual([engine.state, engine.pid], ["down", undefined]);
    await until("the end", () => !isAlive(pid!));
    await assert.rejects(clickhouse.text("SELECT 1"), { code: "CLICKHOUSE_UNREACHABLE" });
    // Longer than the first waits before a restart by itself.
    await delay(400);
    assert.equal(engine.state, "down");
    await engine.restart();
    assert.deepEqual([engine.state, engine.url], ["up", url]);
    assert.equal(await clickhouse.text("EXISTS kept"), "1\n");
  });

  test("bodies that an earlier life left behind are removed", async () => {
    engine.kill();
    writeFileSync(join(dataDir, "incoming", "left-over"), "data");
    writeFileSync(join(dataDir, "outgoing", "left-over"), "data");
    await engine.restart();
    assert.deepEqual(readdirSync(join(dataDir, "incoming")), []);
    assert.ok(!readdirSync(join(dataDir, "outgoing")).includes("left-over"));
  });

  test("restarts at once leave one engine", async () => {
    for (const pause of [0, 100]) {
      const first = engine.restart();
      await delay(pause);
      const [lost, won] = await Promise.allSettled([first, engine.restart()]);
      assert.deepEqual([lost.status, won.status, engine.state], ["rejected", "fulfilled", "up"]);
    }
    assert.equal((await ask(engine, { body: "SELECT 1" })).text, "1\n");
  });

  test("close after kill() waits for the end of the process, and leaves a free folder", async () => {
    const pid = engine.pid!;
    engine.kill();
    await engine.close();
    assert.equal(isAlive(pid), false);
    await (await Engine.start({ dataDir })).close();
  });
});
