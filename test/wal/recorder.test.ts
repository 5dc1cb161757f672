import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { ingestFiles } from "../../src/intake/ingest.js";
import type { TablePolicy } from "../../src/recorder.js";
import { NOON, upTo } from "../sink/rig.js";
import type { Exchange } from "../support/fault-proxy.js";
import { resetBeforeStore, slow } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { type LogPlace, startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

/** What was told of a replay, once it is done. */
async function replayTold(place: LogPlace) {
  await place.event("replayed");
  return place.events.filter((event) => event.kind === "replay" || event.kind === "replayed");
}

test("a critical row is in the log before it is sent, and stored once", async () => {
  const place = await rig.place();
  const recorder = await place.open();
  const steps: string[] = [];
  const arrives = async (exchange: Exchange): Promise<void> => {
    steps.push("sent");
    await exchange.reply(await exchange.forward());
  };
  proxy.on({ where: ({ sql }) => sql.includes(place.name) }, { name: "seen", befall: arrives });
  const ticket = recorder.table(place.name).offer({ ts: BigInt(Date.now()) * 1_000_000n, id: 1 })!;
  place.ledger.set(1, 1);
  await ticket.durable;
  steps.push("durable");
  await ticket.stored;
  assert.deepEqual(steps, ["durable", "sent"]);
  await place.check();
  const { wal, memory } = recorder.stats();
  assert.equal(memory.max, 2 ** 24);
  assert.equal(wal?.state, "ok");
  assert.deepEqual(wal?.pending, { [place.name]: 0 });
});

test("what ClickHouse did not take before the end is stored by the next start", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(5000));
  await first.durable();
  const { tables } = await first.close({ deadlineMs: 0 });
  const { unsent, unconfirmed, logged } = tables[place.name]!;
  assert.deepEqual({ unsent, unconfirmed, logged }, { unsent: 0, unconfirmed: 0, logged: 5000 });
  await proxy.accept();
  const second = await place.open();
  place.offer(second, upTo(100));
  await second.replayed();
  await second.flush();
  await place.check();
  const { inherited, stored } = second.stats().tables[place.name]!;
  assert.deepEqual([inherited, stored], [{ stored: 5000, deadLettered: 0, dropped: 0, pending: 0 }, 100]);
  assert.deepEqual(
    (await replayTold(place)).map((event) => ({ ...event, seconds: undefined })),
    [
      { kind: "replay", cause: "start", pending: { [place.name]: 5000 }, seconds: undefined },
      { kind: "replayed", cause: "start", rows: 5000, seconds: undefined },
    ],
  );
});

test("an outage keeps memory flat, and figures and events tell it: rows wait in the log, and are stored when ClickHouse is back", async () => {
  const place = await rig.place();
  const recorder = await place.open({}, { queue: { rows: 5000 } });
  await proxy.refuse();
  let most = 0;
  for (let round = 0; round < 50; round += 1) {
    place.offer(
      recorder,
      upTo(1000).map((i) => round * 1000 + i),
      { source_seq: round },
    );
    await recorder.durable();
    most = Math.max(most, recorder.stats().memory.used);
  }
  await until("the link is down", () => recorder.stats().link.state === "down");
  const { link, memory, wal, tables } = recorder.stats();
  assert.ok(most < memory.max * 0.6, `${most} of ${memory.max} bytes`);
  assert.deepEqual(wal?.behind, [place.name]);
  assert.equal(tables[place.name]?.pending.rows, 50_000);
  assert.deepEqual(wal?.pending, { [place.name]: 50_000 });
  assert.ok(wal!.oldestPendingSeconds! > 0 && wal!.bytes > 50_000 * 20 && wal!.refusing === undefined);
  assert.equal(link.state, "down");
  assert.match(link.reason, /connection refused|ECONNRE/);
  assert.ok(link.seconds > 0 && link.seconds <= wal!.oldestPendingSeconds!, `${link.seconds} s`);
  await proxy.accept();
  await recorder.flush();
  await place.check();
  assert.deepEqual(recorder.stats().wal?.behind, []);
  assert.equal(recorder.stats().wal?.oldestPendingSeconds, undefined);
  const [begun, done] = await replayTold(place);
  assert.deepEqual(begun, { kind: "replay", cause: "outage", pending: { [place.name]: 50_000 } });
  assert.ok(done?.kind === "replayed" && done.rows === 50_000 && done.seconds > 0);
  const states = place.events.flatMap((event) => (event.kind === "link" ? [event.to] : []));
  assert.deepEqual(states.slice(-3), ["down", "recovering", "up"]);
  assert.equal(recorder.stats().replay, undefined);
});

test("a process that is killed loses nothing that it was told is durable, and doubles nothing", async (t) => {
  const place = await rig.place();
  const { url, user, password } = rig.engine;
  const child = fork(new URL("./recorder-child.js", import.meta.url), [], {
    env: {
      ...process.env,
      PLACE: JSON.stringify({ url, user, password, folder: place.folder, name: place.name }),
    },
  });
  t.after(() => child.kill("SIGKILL"));
  let durable = 0;
  child.on("message", (message) => {
    durable = message as number;
    if (durable > 5000) child.kill("SIGKILL");
  });
  await once(child, "exit");
  const recorder = await place.open();
  await recorder.replayed();
  const stored = await place.count();
  assert.ok(stored >= durable && durable > 5000, `${durable} durable, ${stored} stored`);
  for (const id of upTo(stored)) place.ledger.set(id, 1);
  await place.check();
});

test("rows that are the same stay two rows", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, [1, 2, 1, 1]);
  await first.durable();
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open();
  place.offer(second, [1, 2]);
  await second.replayed();
  await second.flush();
  await place.check();
});

test("columns that were added or widened since the rows were logged are no obstacle", async () => {
  const place = await rig.place({ partitionBy: "toYYYYMM(ts)" });
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(100), { px: "1.5" });
  await first.durable();
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  await rig.direct.command(`ALTER TABLE ${place.name} ADD COLUMN more Int32 DEFAULT 7 AFTER px`);
  await rig.direct.command(`ALTER TABLE ${place.name} MODIFY COLUMN px Decimal(38, 10) DEFAULT 0`);
  const second = await place.open();
  place.offer(second, [100], { px: "2.5", more: 8 });
  await second.replayed();
  await second.flush();
  await place.check();
  const rows = await rig.direct.rows(
    `SELECT toString(px) AS px, more, count() AS n FROM ${place.name} GROUP BY px, more ORDER BY n`,
  );
  assert.deepEqual(rows, [
    { px: "2.5", more: 8, n: "1" },
    { px: "1.5", more: 7, n: "100" },
  ]);
});

test("a column that is gone pauses its table with its name, and others go on", async () => {
  const place = await rig.place({ columns: ", extra Int32 DEFAULT 0" });
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(10), { extra: 5 });
  await first.durable();
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  await rig.direct.command(`ALTER TABLE ${place.name} DROP COLUMN extra`);
  const second = await place.open();
  await place.event("paused");
  assert.match(second.stats().tables[place.name]!.paused!.message, /extra/);
  assert.equal(second.stats().tables[place.name]!.inherited.pending, 10);
});

test("rows that find too much waiting for the disk are refused by name, and taken again while ClickHouse is still away", async () => {
  const place = await rig.place();
  const recorder = await place.open({ memory: { max: 2 ** 20 } });
  await proxy.refuse();
  const writer = recorder.table(place.name);
  const offer = (id: number) => writer.offer({ ts: NOON, id, source: "x".repeat(100), source_seq: id });
  let id = 0;
  while (offer(id) !== undefined) place.ledger.set(id++, 1);
  assert.deepEqual(recorder.stats().tables[place.name]?.refused, { wal_slow: 1 });
  await writer.room();
  place.ledger.set(id, 1);
  await offer(id)?.durable;
  await proxy.accept();
  await recorder.flush();
  await place.check();
});

test("a file read again waits for its rows that the start before left in the log", async () => {
  const place = await rig.place();
  const path = join(place.folder, "rows.ndjson");
  const lines = upTo(100).map((id) => JSON.stringify({ ts: "2024-08-08T12:00:00Z", id }));
  await writeFile(path, `${lines.join("\n")}\n`);
  const first = await place.open();
  const controller = new AbortController();
  proxy.on({ kind: "insert", times: Infinity }, resetBeforeStore);
  const read = { clickhouse: rig.direct, table: place.name, files: [path], abortedFlushMs: 0 };
  const ingested = ingestFiles({ ...read, recorder: first, signal: controller.signal });
  await until("all rows", () => first.stats().tables[place.name]!.accepted === 100);
  controller.abort();
  await ingested;
  await first.close({ deadlineMs: 0 });
  proxy.clear();
  proxy.on({ kind: "insert", times: 2 }, slow(300));
  const second = await place.open();
  const report = await ingestFiles({ ...read, recorder: second });
  assert.deepEqual([report.alreadyStored, report.stored], [100, 0]);
  for (const id of upTo(100)) place.ledger.set(id, 1);
  await place.check();
});

test("durable() lets go of rows that a policy holds", async () => {
  const place = await rig.place();
  const policy: TablePolicy = {
    ...{ dedup: "none", sample: 0, conflate: 60_000, depth: 5, series: 100 },
    ...{ by: ["kind"], news: [], time: "ts" },
  };
  const first = await place.open({}, { policy });
  await proxy.refuse();
  place.offer(first, [1]);
  assert.equal(first.stats().wal?.pending[place.name], 0);
  await first.durable();
  assert.deepEqual(first.stats().wal?.pending, { [place.name]: 1 });
  const { tables } = await first.close({ deadlineMs: 0 });
  assert.equal(tables[place.name]?.logged, 1);
  await proxy.accept();
  const second = await place.open();
  await second.replayed();
  await place.check();
});
