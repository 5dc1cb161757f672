import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import { after, afterEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { decompressFrameSync } from "lz4-napi";
import { systemClock } from "../../src/base/clock.js";
import type { ColdpathError } from "../../src/base/errors.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { ValueError } from "../../src/native/block.js";
import { Recorder, type RecorderOptions } from "../../src/recorder.js";
import { ClashWatch } from "../../src/sink/clash-watch.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import { answers, exception, Gate, hang, held } from "../support/fault-proxy-faults.js";
import { checkSums, NOON, type Recording, startRig, upTo } from "./rig.js";

const rig = await startRig({ after });
const { proxy, direct } = rig;

afterEach(() => proxy.clear());

function insertsOf({ name }: Recording): typeof proxy.inserts {
  return proxy.inserts.filter((seen) => seen.sql.includes(name));
}

test("rows are stored with the recorder's identity and numbers without holes", async () => {
  const recording = await rig.open();
  recording.offer(upTo(250));
  await recording.recorder.flush();
  await recording.check();
  const [row] = await direct.rows(
    `SELECT min(seq) AS first, max(seq) AS last, uniqExact(seq) AS n, any(env) AS e, any(recorder) AS r,
       groupUniqArray(run) AS runs, min(ts_ingest) > now() - 60 AS fresh FROM ${recording.name}`,
  );
  const run = recording.recorder.run.toString();
  const expected = {
    first: "1",
    last: "250",
    n: "250",
    e: "test",
    r: "rig",
    runs: [run],
    fresh: 1,
  };
  assert.deepEqual(row, expected);
});

test("each start is registered with host, process and version", async () => {
  const { recorder } = await rig.open({ version: "9.9.9", configHash: "abc" });
  const [row] = await direct.rows(
    `SELECT recorder, env, pid, version, config_hash FROM recorder_runs WHERE run = ${recorder.run}`,
  );
  assert.deepEqual(row, {
    recorder: "rig",
    env: "test",
    pid: process.pid,
    version: "9.9.9",
    config_hash: "abc",
  });
});

test("another recorder of the same name, or with a copy of the log, that began later is told of once, those gone and our own are not", async () => {
  const { recorder, events } = await rig.open({ recorder: "twice" });
  const identity = { env: "test", recorder: "twice", run: recorder.run };
  const { user, password } = rig.engine;
  const clickhouse = new ClickHouse({ url: proxy.url, user, password, database: "default" });
  after(() => clickhouse.close());
  const watch = await ClashWatch.start({
    clickhouse,
    identity,
    log: 5n,
    report: (event) => events.push(event),
  });
  after(() => watch.close());
  for (const [run, host, pid] of [
    [1, "elsewhere", 7],
    [2, hostname(), process.ppid],
    [3, hostname(), spawnSync("true").pid],
    [4, hostname(), process.pid],
  ] as const)
    await direct.command(
      `INSERT INTO recorder_runs (started, host, pid, recorder, run) VALUES (now(), '${host}', ${pid}, 'twice', ${run})`,
    );
  await direct.command(
    `INSERT INTO recorder_runs (started, host, pid, recorder, run, source) VALUES
     (now(), 'elsewhere', 7, 'copy', 5, 'wal/0000000000000005'), (now(), 'elsewhere', 7, 'other', 6, 'wal/0000000000000006')`,
  );
  await watch.look();
  await watch.look();
  const clashes = events.flatMap((event) =>
    event.kind === "recorder_clash" ? [`${event.run} ${event.recorder} ${event.hasCopy}`] : [],
  );
  assert.deepEqual(clashes.sort(), ["1 twice false", "2 twice false", "5 copy true"]);
  await proxy.refuse();
  await watch.look();
  await proxy.accept();
  assert.equal(events.at(-1)?.kind, "clash_unknown");
});

test("a ticket resolves once its row can be read", async () => {
  const recording = await rig.open();
  const writer = recording.recorder.table(recording.name);
  const ticket = writer.offer({ ts: NOON, id: 7 })!;
  void recording.recorder.flush();
  await ticket.stored;
  assert.equal(await direct.text(`SELECT id FROM ${recording.name} FORMAT TSV`), "7\n");
});

test("an age is enough: rows are stored without a flush", async () => {
  const flush = { rows: 1000, bytes: 2 ** 20, age: 20 };
  const recording = await rig.open({ clock: systemClock, table: { flush } });
  const ticket = recording.recorder.table(recording.name).offer({ ts: NOON, id: 1 })!;
  await ticket.stored;
  assert.equal(recording.stats().stored, 1);
  assert.ok(recording.stats().freshnessSeconds! >= 0.02);
});

test("a table is named as it is, or the nearest one is", async () => {
  const { recorder, name } = await rig.open();
  assert.throws(() => recorder.table(`${name}x`), {
    code: "TABLE_UNKNOWN",
    message: `this recorder has no table ${name}x: did you mean ${name}?`,
  });
});

test("a recorder does not open on a table that it cannot write", async () => {
  const recording = await rig.open();
  await direct.command(
    `CREATE TABLE ${recording.name}_hash AS ${recording.name} ENGINE = MergeTree PARTITION BY cityHash64(id) % 4 ORDER BY id`,
  );
  const open = (table: string): Promise<Recorder> => {
    const options: RecorderOptions = {
      recorder: "rig",
      env: "test",
      clickhouse: direct,
      compression: "none",
      tables: {
        [table]: { class: "critical", flush: { rows: 1, bytes: 1024, age: 1 }, queue: { rows: 10 } },
      },
      memory: { max: 2 ** 20 },
      accept: { past: 1, future: 1 },
      deadLettersDir: recording.folder,
    };
    return Recorder.open(options);
  };
  await assert.rejects(open(`${recording.name}_hash`), { code: "PARTITION_UNSUPPORTED" });
  await direct.command(
    `ALTER TABLE ${recording.name} MODIFY SETTING non_replicated_deduplication_window = 0`,
  );
  const error = await open(recording.name).then(
    () => assert.fail(),
    (reason: ColdpathError) => reason,
  );
  assert.equal(error.code, "SCHEMA_MISMATCH");
  await direct.command(error.message.slice(error.message.indexOf("ALTER TABLE")));
  await (await open(recording.name)).close({ deadlineMs: 0 });
  await assert.rejects(open("no_such_table"), { code: "TABLE_UNKNOWN" });
});

test("every setting that decides how rows are taken is sent, and one that the server does not know is not", async () => {
  const recording = await rig.open();
  recording.offer([1]);
  await recording.recorder.flush();
  const { settings } = insertsOf(recording)[0]!;
  const expected = {
    async_insert: "0",
    insert_deduplicate: "1",
    deduplicate_insert: "enable",
    deduplicate_blocks_in_dependent_materialized_views: "1",
    wait_end_of_query: "1",
    input_format_skip_unknown_fields: "0",
    input_format_null_as_default: "0",
    input_format_defaults_for_omitted_fields: "1",
    materialized_views_ignore_errors: "0",
    use_strict_insert_block_limits: "0",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(settings.get(name), value, name);
  assert.equal(settings.get("log_comment"), settings.get("query_id"));
  const named = [...settings.keys()].filter(
    (name) => !["query", "query_id", "wait_end_of_query"].includes(name),
  );
  const known = await direct.rows<{ name: string }>(
    `SELECT name FROM system.settings WHERE name IN (${named.map((name) => `'${name}'`)})`,
  );
  assert.equal(known.length, named.length);
});

for (const [compression, unpack] of [
  ["auto", undefined],
  ["none", undefined],
  ["lz4", decompressFrameSync],
  ["gzip", gunzipSync],
] as const) {
  test(`bodies travel as configured: ${compression}`, async () => {
    const recording = await rig.open({ compression });
    recording.offer(upTo(100));
    await recording.recorder.flush();
    await recording.check();
    const { body } = insertsOf(recording)[0]!;
    const plain = unpack === undefined ? body : unpack(body);
    // A Native block begins with its number of columns and rows.
    assert.deepEqual([plain[0], plain[1]], [10, 100]);
    if (unpack !== undefined) assert.ok(body.length < plain.length);
  });
}

test("a row refused at intake is counted and kept once, however often it comes", async () => {
  const recording = await rig.open();
  const writer = recording.recorder.table(recording.name);
  for (let round = 0; round < 2; round += 1) {
    for (const seq of upTo(5)) {
      const raw = `{"ts":"never","id":${seq}}`;
      try {
        writer.offer({ ts: "never", id: seq }, { source: "bad.ndjson", seq });
        assert.fail("the row is refused");
      } catch (error) {
        assert.ok(error instanceof ValueError);
        await writer.rejected(raw, error, { source: "bad.ndjson", seq });
      }
    }
  }
  const { offered, accepted, refused } = recording.stats();
  assert.deepEqual([offered, accepted, refused], [10, 0, { value_rejected: 10 }]);
  const letters = await DeadLetters.open(recording.folder, recording.recorder.run, assert.fail);
  const kept: unknown[] = [];
  for await (const { source_seq, bytes, seq } of letters.list()) kept.push([source_seq, bytes, seq]);
  assert.deepEqual(
    kept,
    upTo(5).map((seq) => [`${seq}`, `{"ts":"never","id":${seq}}`, null]),
  );
});

test("a critical table refuses when its queue is full, and takes everything once ClickHouse answers", async () => {
  const table = { flush: { rows: 10, bytes: 2 ** 20, age: 60_000 }, queue: { rows: 50 } };
  const recording = await rig.open({ table });
  const gate = new Gate();
  proxy.on({ times: 1000 }, held(gate));
  const writer = recording.recorder.table(recording.name);
  recording.offer(upTo(50));
  assert.equal(writer.full, true);
  assert.equal(writer.offer({ ts: NOON, id: 99 }), undefined);
  let hasRoom = false;
  const room = writer.room().then(() => {
    hasRoom = true;
  });
  await proxy.until(() => insertsOf(recording).length === 2);
  assert.equal(hasRoom, false);
  gate.open();
  await room;
  recording.offer([50]);
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(recording.stats().refused, { queue_full: 1 });
  assert.deepEqual(
    recording.events.map((event) => event.kind),
    ["full", "room"],
  );
});

test("a best-effort table drops what it has longest, counts it, and stores the rest", async () => {
  const recording = await rig.open({
    table: {
      class: "best_effort",
      flush: { rows: 10, bytes: 2 ** 20, age: 60_000 },
      queue: { rows: 80 },
    },
  });
  const gate = new Gate();
  proxy.on({ times: 1000 }, held(gate));
  for (const id of upTo(20)) recording.offer([id]);
  await proxy.until(() => insertsOf(recording).length === 2);
  for (const id of upTo(200)) recording.offer([20 + id]);
  gate.open();
  await recording.recorder.flush();
  const { dropped, stored } = recording.stats();
  assert.equal(stored + dropped["queue_full"]!, 220);
  assert.ok(dropped["queue_full"]! >= 140);
  checkSums(recording.stats());
  // The first two batches were on their way, the last rows are the newest: what is missing lies between.
  const [row] = await direct.rows<{ ids: string[] }>(
    `SELECT groupArray(toString(id)) AS ids FROM (SELECT id FROM ${recording.name} ORDER BY id)`,
  );
  const ids = row!.ids.map(Number);
  assert.deepEqual(ids.slice(0, 20), upTo(20));
  assert.deepEqual(ids.slice(20), upTo(220).slice(-(stored - 20)));
});

test("two INSERTs are under way at most", async () => {
  const flush = { rows: 10, bytes: 2 ** 20, age: 60_000 };
  const recording = await rig.open({ table: { flush, queue: { rows: 80 } } });
  const gate = new Gate();
  proxy.on({ times: 1000 }, held(gate));
  recording.offer(upTo(80));
  const flushed = recording.recorder.flush();
  await proxy.until(() => insertsOf(recording).length === 2);
  // Enough for a third to show up, were it sent.
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  assert.equal(insertsOf(recording).length, 2);
  assert.equal(recording.stats().pending.rows, 80);
  gate.open();
  await flushed;
  await recording.check();
});

test("tables in trouble share the places too: two requests are under way at most", async () => {
  const { name, recorder, event } = await rig.open({ more: 3 });
  const gate = new Gate();
  const isOurs = ({ sql }: { sql: string }): boolean => sql.includes(name);
  proxy.on({ where: isOurs, times: 4 }, answers(exception(202)));
  proxy.on({ where: isOurs, times: 1000 }, held(gate));
  for (const table of [name, `${name}_1`, `${name}_2`, `${name}_3`])
    recorder.table(table).offer({ ts: NOON, id: 1 });
  const flushed = recorder.flush();
  await event("retry");
  const ours = (): number => proxy.inserts.filter(isOurs).length;
  await proxy.until(() => ours() === 6);
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  assert.equal(ours(), 6);
  gate.open();
  await flushed;
  assert.equal(
    Object.values(recorder.stats().tables).reduce((sum, { stored }) => sum + stored, 0),
    4,
  );
});

test("close stores what it can, gives up at its deadline, and says what it left", async () => {
  const flush = { rows: 10, bytes: 2 ** 20, age: 60_000 };
  const table = { flush, queue: { rows: 80 } };
  const recording = await rig.open({ clock: systemClock, table });
  proxy.on({ skip: 1, times: 1000 }, hang);
  const writer = recording.recorder.table(recording.name);
  const tickets = upTo(55).map((id) => writer.offer({ ts: NOON, id })!);
  await proxy.until(() => insertsOf(recording).filter(({ fault }) => fault === hang.name).length === 2);
  const startedAt = performance.now();
  const { tables } = await recording.recorder.close({ deadlineMs: 300 });
  assert.ok(performance.now() - startedAt < 20_000);
  const { stored, unsent, unconfirmed, pending } = tables[recording.name]!;
  assert.deepEqual([stored, unsent, unconfirmed, pending.rows], [10, 25, 20, 45]);
  await tickets[0]!.stored;
  await assert.rejects(tickets[54]!.stored, { code: "DEADLINE" });
  assert.throws(() => writer.offer({ ts: NOON, id: 1 }), { code: "RECORDER_CLOSED" });
  await writer.room();
});

test("close with nothing left says so", async () => {
  const recording = await rig.open({ clock: systemClock });
  recording.offer(upTo(30));
  const { tables } = await recording.recorder.close({ deadlineMs: 10_000 });
  const { stored, unsent, unconfirmed } = tables[recording.name]!;
  assert.deepEqual([stored, unsent, unconfirmed], [30, 0, 0]);
  await recording.check();
});

test("an outage is retried with growing, random pauses and one link event for each change", async () => {
  const recording = await rig.open({ random: () => 0.5 });
  proxy.on({ times: 6 }, answers(exception(999, "Coordination::Exception")));
  recording.offer([1]);
  await recording.recorder.flush();
  const waits = recording.events.flatMap((event) => (event.kind === "retry" ? [event.waitMs] : []));
  assert.deepEqual(waits, [75, 150, 300, 600, 1200, 2400]);
  const states = recording.events.flatMap((event) => (event.kind === "link" ? [event.to] : []));
  assert.deepEqual(states, ["degraded", "up"]);
  await recording.check();
});

test("sums hold at every moment, whatever is refused, dropped, dead-lettered or stored", async () => {
  const recording = await rig.open({
    columns: ", CONSTRAINT lucky CHECK id % 97 != 13",
    table: {
      class: "best_effort",
      flush: { rows: 20, bytes: 2 ** 20, age: 60_000 },
      queue: { rows: 200 },
    },
  });
  const writer = recording.recorder.table(recording.name);
  proxy.on({ skip: 2, times: 2 }, answers(exception(202)));
  for (const id of upTo(2000)) {
    const row = id % 50 === 7 ? { ts: "never", id } : { ts: NOON, id };
    try {
      writer.offer(row);
    } catch (error) {
      void writer.rejected(JSON.stringify(row), error);
    }
    checkSums(recording.stats());
    if (id % 100 === 0) await new Promise(setImmediate);
  }
  await recording.recorder.flush();
  const stats = recording.stats();
  checkSums(stats);
  assert.equal(stats.offered, 2000);
  assert.equal(stats.refused["value_rejected"], 40);
  assert.equal(stats.pending.rows, 0);
  assert.ok(stats.deadLettered > 0 && stats.dropped["queue_full"]! > 0);
  const stored = await direct.text(`SELECT count() FROM ${recording.name} FORMAT TSV`);
  assert.equal(Number(stored), stats.stored);
});
