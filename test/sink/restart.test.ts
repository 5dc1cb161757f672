import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import type { Exchange, Fault } from "../support/fault-proxy.js";
import { answers } from "../support/fault-proxy-faults.js";
import { type Recording, startRig, upTo } from "./rig.js";

const rig = await startRig({ after });
const { engine, proxy, direct } = rig;

afterEach(() => proxy.clear());

/** Where the table's files are, read before the engine goes down. */
async function filesOf(name: string): Promise<string> {
  const [row] = await direct.rows<{ path: string }>(
    `SELECT data_paths[1] AS path FROM system.tables WHERE name = '${name}'`,
  );
  return row!.path;
}

/** The batch is stored or not; then ClickHouse dies, loses something and comes back; the answer is lost. */
function diesWith(stored: boolean, loss: () => Promise<void> = async () => {}): Fault {
  return {
    name: "ClickHouse dies",
    async befall(exchange: Exchange) {
      if (stored) await exchange.forward();
      engine.kill();
      await loss();
      await engine.restart();
      exchange.reset();
    },
  };
}

function generationsOf({ name }: Recording): (string | undefined)[] {
  return proxy.inserts
    .filter((seen) => seen.sql.includes(name))
    .map((seen) => seen.settings.get("insert_deduplication_token")!.split("/").at(-1));
}

test("stored before ClickHouse was killed: found by asking, not sent again", async () => {
  const recording = await rig.open();
  proxy.on({}, diesWith(true));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(generationsOf(recording), ["0"]);
  const { from, to } = await recording.event("clickhouse_restarted");
  assert.notDeepEqual(from, to);
});

test("not stored before ClickHouse was killed: sent again, and counted before it is believed", async () => {
  const recording = await rig.open();
  proxy.on({}, diesWith(false));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(generationsOf(recording), ["0", "0"]);
  const last = proxy.requests.filter(({ sql }) => sql.includes(recording.name)).at(-1)!;
  assert.match(last.sql, /uniqExact\(seq\)/);
});

test("stored, and the token lost in a power cut: the rows are not doubled", async () => {
  const recording = await rig.open();
  const path = await filesOf(recording.name);
  proxy.on(
    {},
    diesWith(true, () => rm(join(path, "deduplication_logs"), { recursive: true })),
  );
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
});

test("without the question the oracle sees them doubled", async () => {
  const recording = await rig.open();
  const path = await filesOf(recording.name);
  proxy.on(
    {},
    diesWith(true, () => rm(join(path, "deduplication_logs"), { recursive: true })),
  );
  const nothingThere = Buffer.from('{"rows":"0","seqs":"0"}\n');
  const headers = { "x-clickhouse-server-display-name": "liar" };
  proxy.on(
    { kind: "other", where: (seen) => seen.sql.includes("uniqExact(seq)") },
    answers({ status: 200, headers, body: nothingThere }, "denies everything"),
  );
  recording.offer(upTo(2));
  await recording.recorder.flush();
  assert.deepEqual(await recording.differences(), ["0: 1, 2", "1: 1, 2"]);
});

test("the token kept and the rows lost in a power cut: a new token brings them in", async () => {
  const recording = await rig.open();
  const path = await filesOf(recording.name);
  const loseParts = async (): Promise<void> => {
    for (const entry of await readdir(path))
      if (/^\d{8}_/.test(entry)) await rm(join(path, entry), { recursive: true });
  };
  proxy.on({}, diesWith(true, loseParts));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  // Asked, sent and swallowed, counted, sent under another token.
  assert.deepEqual(generationsOf(recording), ["0", "0", "1"]);
});

test("rows that came while ClickHouse was away are stored in one part once it is back", async () => {
  const recording = await rig.open({ table: { flush: { rows: 10, bytes: 2 ** 20, age: 60_000 } } });
  engine.kill();
  recording.offer(upTo(10));
  const down = await recording.event("link");
  assert.deepEqual([down.from, down.to], ["up", "degraded"]);
  for (let id = 10; id < 500; id += 1) recording.offer([id]);
  await engine.restart();
  await recording.recorder.flush();
  await recording.check();
  const tokens = proxy.inserts
    .filter((seen) => seen.sql.includes(recording.name) && seen.status === 200)
    .map((seen) => seen.settings.get("insert_deduplication_token"));
  assert.equal(new Set(tokens).size, 2, "the first ten rows, then all others");
  const states = recording.events.filter((event) => event.kind === "link").map((event) => event.to);
  assert.equal(states.at(-1), "up");
});
