import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import type { AwayTables, Recorder } from "../../src/recorder.js";
import { AssumedTable } from "../../src/schemas/assumed-table.js";
import { readTable } from "../../src/schemas/introspect.js";
import { upTo } from "../sink/rig.js";
import { resetAfterStore } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy, direct } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

/** The table as it is now, for a start that cannot ask. */
async function assumed(name: string): Promise<{ away: () => Promise<AwayTables> }> {
  const tables = [new AssumedTable(await readTable(direct, name))];
  return { away: async () => ({ tables, seen: true }) };
}

async function registered(runs: readonly bigint[]): Promise<string[]> {
  const rows = await direct.rows<{ run: string }>(
    `SELECT run FROM recorder_runs WHERE run IN (${runs.join(", ")})`,
  );
  return rows.map(({ run }) => run);
}

function pausedBy(recorder: Recorder, name: string): string | undefined {
  return recorder.stats().tables[name]!.paused?.code;
}

test("rows of two starts in a row that never saw ClickHouse are stored once by the third, which is registered before it sends", async () => {
  const place = await rig.place();
  const options = await assumed(place.name);
  await proxy.refuse();
  const runs: bigint[] = [];
  const start = async (from: number): Promise<Recorder> => {
    const recorder = await place.open(options);
    runs.push(recorder.run);
    const { link } = recorder.stats();
    assert.deepEqual([link.state, link.life], ["down", undefined]);
    assert.match(link.probeError!, /connection refused/);
    place.offer(
      recorder,
      upTo(3000).map((i) => from + i),
    );
    await recorder.durable();
    return recorder;
  };
  for (const from of [0, 10_000]) {
    const { tables } = await (await start(from)).close({ deadlineMs: 0 });
    assert.equal(tables[place.name]!.logged, 3000);
  }
  const last = await start(20_000);
  assert.deepEqual(place.events.find(({ kind }) => kind === "started_away")?.kind, "started_away");
  await proxy.accept();
  await last.flush();
  await place.check();
  assert.equal(await place.count(), 9000);
  assert.deepEqual(await registered(runs), [last.run.toString()]);
  const inserts = proxy.requests.filter(({ isInsert, sql }) => isInsert && /recorder_runs|t_/.test(sql));
  const first = inserts.findIndex(({ sql }) => sql.includes(place.name));
  const mine = inserts.findIndex(
    ({ sql, body }) => sql.includes("recorder_runs") && body.includes(`${last.run}`),
  );
  assert.ok(mine >= 0 && mine < first, "the start is registered before its first row is sent");
});

test("a start that loses ClickHouse again while it asks asks anew, and is registered once", async () => {
  const place = await rig.place();
  const options = await assumed(place.name);
  await proxy.refuse();
  const recorder = await place.open(options);
  place.offer(recorder, upTo(100));
  proxy.on({ where: ({ sql }) => sql.includes("recorder_runs") }, resetAfterStore);
  await proxy.accept();
  await recorder.flush();
  await place.check();
  assert.deepEqual(await registered([recorder.run]), [recorder.run.toString()]);
});

test("a table that turns out to be another is paused, holds up nobody, and goes on once it is as it was", async () => {
  const [place, other] = [await rig.place(), await rig.place()];
  const { tables } = await (await assumed(place.name)).away();
  const more = await (await assumed(other.name)).away();
  const away = async (): Promise<AwayTables> => ({ tables: [...tables, ...more.tables], seen: true });
  await direct.command(`ALTER TABLE ${place.name} DROP COLUMN kind`);
  await proxy.refuse();
  const table = {
    class: "critical",
    durability: "wal",
    flush: { rows: 1000, bytes: 2 ** 20, age: 20 },
    queue: { rows: 100_000 },
  } as const;
  const recorder = await place.open({ away, tables: { [place.name]: table, [other.name]: table } });
  place.offer(recorder, upTo(500));
  other.offer(recorder, upTo(500));
  await recorder.durable();
  await proxy.accept();
  await recorder.flush(other.name);
  await other.check();
  assert.equal(pausedBy(recorder, place.name), "SCHEMA_MISMATCH");
  assert.equal(await place.count(), 0);
  const paused = await place.event("paused");
  assert.match((paused as { message: string }).message, /column kind of .* is missing/);
  await direct.command(
    `ALTER TABLE ${place.name} ADD COLUMN kind LowCardinality(String) DEFAULT 'a' AFTER px`,
  );
  recorder.replay();
  await recorder.flush();
  await place.check();
  assert.equal(pausedBy(recorder, place.name), undefined);
});

test("an answer that refuses the start is an error at a start, told once later, and no row is sent", async (t) => {
  const place = await rig.place();
  const options = await assumed(place.name);
  const clickhouse = new ClickHouse({
    url: proxy.url,
    user: rig.engine.user,
    password: "wrong",
    database: "default",
  });
  t.after(() => clickhouse.close());
  await assert.rejects(place.open({ ...options, clickhouse }), { code: "CLICKHOUSE_ANSWER" });
  await proxy.refuse();
  const recorder = await place.open({ ...options, clickhouse });
  place.offer(recorder, upTo(100));
  await recorder.durable();
  await proxy.accept();
  await place.event("start_refused");
  const refused = recorder.stats().link.probeError;
  await until("it asks again", () => proxy.requests.filter(({ sql }) => sql.includes("uptime")).length > 3);
  assert.equal(place.events.filter(({ kind }) => kind === "start_refused").length, 1);
  assert.equal(recorder.stats().link.state, "down");
  assert.match(refused ?? "", /password|Authentication|connection refused/i);
  assert.equal(await place.count(), 0);
  await recorder.close({ deadlineMs: 0 });
  const next = await place.open(options);
  await next.replayed();
  await place.check();
});

test("without a log, or told that ClickHouse is required, a start while it is away is an error", async () => {
  const place = await rig.place();
  const options = await assumed(place.name);
  await proxy.refuse();
  await assert.rejects(place.open(), { code: "CLICKHOUSE_UNREACHABLE" });
  await assert.rejects(place.open(options, { durability: "memory" }), { code: "CLICKHOUSE_UNREACHABLE" });
});
