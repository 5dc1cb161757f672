import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import type { DeadLetter } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import {
  answers,
  cutBody,
  exception,
  html,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { type Recording, startRig, upTo } from "./rig.js";

const rig = await startRig({ after });
const { proxy, direct } = rig;

afterEach(() => proxy.clear());

const TOO_MANY_PARTS = exception(252, "Too many parts (3001). Merges are processing slower than inserts");

/** The INSERTs that reached the proxy for a table. */
function insertsOf({ name }: Recording): typeof proxy.inserts {
  return proxy.inserts.filter((seen) => seen.sql.includes(name));
}

async function lettersOf(recording: Recording): Promise<DeadLetter[]> {
  const letters = await DeadLetters.open(recording.folder, recording.recorder.run, assert.fail);
  const found: DeadLetter[] = [];
  for await (const letter of letters.list(recording.name)) found.push(letter);
  return found;
}

test("retry: the same batch is sent again until it passes", async () => {
  const recording = await rig.open();
  proxy.on({ times: 5 }, answers(exception(202, "Too many simultaneous queries")));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(recording.stats().insertErrors, { "retry/202": 5 });
  assert.equal(new Set(insertsOf(recording).map((seen) => seen.body.toString("hex"))).size, 1);
});

test("retry: while a batch is in trouble, no other of its table is begun", async () => {
  const recording = await rig.open({
    table: { flush: { rows: 10, bytes: 2 ** 20, age: 60_000 }, queue: { rows: 80 } },
  });
  proxy.on({ times: 5 }, answers(exception(202, "Too many simultaneous queries")));
  recording.offer(upTo(10));
  const flushed = recording.event("retry").then(() => {
    recording.offer(upTo(50).map((id) => 10 + id));
    return recording.recorder.flush();
  });
  await flushed;
  await recording.check();
  const tokens = insertsOf(recording).map((seen) => seen.settings.get("insert_deduplication_token"));
  assert.equal(new Set(tokens.slice(0, 6)).size, 1);
  assert.equal(new Set(tokens).size, 6);
});

test("retry slowly: a full disk is waited for", async () => {
  const recording = await rig.open();
  proxy.on({ times: 4 }, answers(exception(243, "Cannot reserve 1.00 MiB, not enough space")));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  const waits = recording.events.flatMap((event) => (event.kind === "retry" ? [event.waitMs] : []));
  assert.ok(waits.every((wait) => wait >= 500) && waits.at(-1)! >= 4000, `${waits}`);
});

test("slow down: after too many parts, batches are fewer and larger", async () => {
  const recording = await rig.open({ table: { flush: { rows: 10, bytes: 2 ** 20, age: 60_000 } } });
  proxy.on({ times: 2 }, answers(TOO_MANY_PARTS));
  for (let from = 0; from < 200; from += 10) {
    recording.offer(upTo(10).map((id) => from + id));
    if (from === 0) await recording.event("retry");
    await new Promise(setImmediate);
  }
  await recording.recorder.flush();
  await recording.check();
  const tokens = new Set(insertsOf(recording).map((seen) => seen.settings.get("insert_deduplication_token")));
  assert.ok(tokens.size <= 6, `${tokens.size} batches where ten rows each would have made 20`);
});

test("ask: an unknown quorum is asked about, not retried blindly", async () => {
  const recording = await rig.open();
  proxy.on({}, answers(exception(319, "Unknown quorum status")));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  const [first, second] = insertsOf(recording).map((seen) => proxy.requests.indexOf(seen));
  const between = proxy.requests.slice(first! + 1, second);
  assert.ok(between.some((seen) => seen.sql.includes("uniqExact(seq)")));
});

test("done: what ClickHouse calls a duplicate is stored", async () => {
  const recording = await rig.open();
  proxy.on(
    { skip: 0 },
    {
      name: "389 after store",
      async befall(exchange) {
        await exchange.forward();
        await exchange.reply(exception(389, "Block with ID was deduplicated"));
      },
    },
  );
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(insertsOf(recording).length, 1);
});

test("split: a body too large for a proxy goes in halves under tokens of their own", async () => {
  const recording = await rig.open();
  proxy.on({ where: (seen) => seen.body.length > 3000, times: 1000 }, answers(html(413)));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  const sent = insertsOf(recording);
  const tokens = sent.map((seen) => seen.settings.get("insert_deduplication_token"));
  assert.ok(sent.length > 2);
  assert.equal(new Set(tokens).size, tokens.length);
});

test("split: memory that does not suffice twice is asked for in halves", async () => {
  const recording = await rig.open();
  proxy.on({ times: 2 }, answers(exception(241, "Memory limit (total) exceeded")));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(insertsOf(recording).length, 4);
});

test("pause: a table without rights waits, the others go on, and it goes on by itself when mended", async () => {
  const [held, other] = [await rig.open(), await rig.open()];
  const denied = answers(exception(497, "Not enough privileges", 403));
  proxy.on({ where: (seen) => seen.sql.includes(held.name), times: 1000 }, denied);
  held.offer(upTo(100));
  const { code } = await held.event("paused");
  assert.equal(code, "497");
  held.offer(upTo(100));
  other.offer(upTo(100));
  await other.recorder.flush();
  await other.check();
  assert.equal(held.stats().pending.rows, 200);
  proxy.clear();
  await held.recorder.flush();
  await held.check();
  assert.deepEqual(
    held.events
      .filter((event) => event.kind === "paused" || event.kind === "resumed")
      .map((event) => event.kind),
    ["paused", "resumed"],
  );
});

test("pause: tables that wait do not hold up the others of their recorder", async () => {
  const recording = await rig.open({ more: 2 });
  const { name, recorder } = recording;
  const isHeld = ({ sql }: { sql: string }): boolean => /_[12]`/.test(sql);
  proxy.on({ where: isHeld, times: 1000 }, answers(exception(60, "Unknown table", 404)));
  for (const id of upTo(100))
    for (const each of [1, 2]) recorder.table(`${name}_${each}`).offer({ ts: 0n, id });
  const isPaused = (): boolean => recording.events.filter((event) => event.kind === "paused").length === 2;
  await until("both pauses", isPaused);
  recording.offer(upTo(100));
  await recorder.flush(name);
  await recording.check();
  assert.equal(recorder.stats().tables[`${name}_1`]!.pending.rows, 100);
});

test("pause: a view that fails leaves the rows stored once and the gap reported", async () => {
  const recording = await withFailingView();
  recording.offer(upTo(10));
  await recording.recorder.flush();
  await recording.check();
  const incident = await recording.event("incident");
  assert.equal(incident.name, "view_incomplete");
  assert.equal(recording.stats().deadLettered, 0);
});

/** A recording with a view that refuses id 5, until the view is dropped. */
async function withFailingView(): Promise<Recording> {
  const recording = await rig.open();
  const { name } = recording;
  await direct.command(`CREATE TABLE ${name}_target (n UInt64) ENGINE = MergeTree ORDER BY n`);
  await direct.command(
    `CREATE MATERIALIZED VIEW ${name}_mv TO ${name}_target AS SELECT throwIf(id = 5, 'no fives')::UInt64 AS n FROM ${name}`,
  );
  return recording;
}

test("pause: other refusals after a view's do not hide the gap it left", async () => {
  const recording = await withFailingView();
  proxy.on({ skip: 1, times: 1000 }, answers(exception(202, "Too many simultaneous queries")));
  recording.offer(upTo(10));
  await recording.recorder.flush();
  await recording.check();
  assert.ok(recording.stats().insertErrors["retry/202"]! > 0);
  const incidents = recording.events.flatMap((event) => (event.kind === "incident" ? [event.name] : []));
  assert.deepEqual(incidents, ["view_incomplete"]);
});

test("poison: a row that ClickHouse refuses costs one row, which is kept with its bytes", async () => {
  const recording = await rig.open({ columns: ", CONSTRAINT lucky CHECK id NOT IN (13, 77)" });
  const writer = recording.recorder.table(recording.name);
  const tickets = upTo(100).map((id) =>
    writer.offer({ ts: 1_723_118_400_000_000_000n, id }, { source: "file.csv", seq: 1000 + id }),
  );
  await recording.recorder.flush();
  for (const id of upTo(100)) if (id !== 13 && id !== 77) recording.ledger.set(id, 1);
  await recording.check();
  assert.equal(recording.stats().deadLettered, 2);
  await assert.rejects(tickets[0]!.stored, { code: "BATCH_FAILED" });
  const letters = await lettersOf(recording);
  assert.deepEqual(
    letters.map(({ seq, source, source_seq, code, encoding }) => [seq, source, source_seq, code, encoding]),
    [
      ["14", "file.csv", "1013", "469", "native"],
      ["78", "file.csv", "1077", "469", "native"],
    ],
  );
  // The engine reads the kept bytes back: the very row.
  await direct.command(`ALTER TABLE ${recording.name} DROP CONSTRAINT lucky`);
  const { sql } = insertsOf(recording)[0]!;
  await direct.insert({ sql, body: Buffer.from(letters[0]!.bytes, "base64"), settings: { async_insert: 0 } });
  const found = `SELECT id, seq, source, source_seq FROM ${recording.name} WHERE id = 13 FORMAT TSV`;
  assert.equal(await direct.text(found), "13\t14\tfile.csv\t1013\n");
});

test("poison: an attempt in doubt is asked about before the batch is taken apart", async () => {
  const recording = await rig.open({ columns: ", CONSTRAINT lucky CHECK id != 13" });
  proxy.on({}, resetBeforeStore);
  recording.offer(upTo(20));
  recording.ledger.delete(13);
  await recording.recorder.flush();
  await recording.check();
  const whole = insertsOf(recording).filter(
    (seen) => !seen.settings.get("insert_deduplication_token")!.includes("."),
  );
  assert.equal(whole.length, 2);
  const from = proxy.requests.indexOf(whole[1]!);
  const sqls = proxy.requests.slice(from + 1).map((seen) => seen.sql);
  const counted = sqls.findIndex((sql) => sql.includes("uniqExact(seq)"));
  const split = sqls.findIndex((sql) => sql.startsWith("INSERT"));
  assert.ok(counted >= 0 && counted < split);
});

test("a body cut on its way is sent again; refused twice it is our bug: dumped, and never dropped", async () => {
  const once = await rig.open();
  proxy.on({}, cutBody(0.5));
  once.offer(upTo(100));
  await once.recorder.flush();
  await once.check();
  assert.equal(once.stats().insertErrors["retry/33"], 1);

  const twice = await rig.open();
  proxy.on({ times: 2 }, cutBody(0.5));
  twice.offer(upTo(100));
  const dumped = await twice.event("request_dumped");
  await twice.recorder.flush();
  await twice.check();
  assert.deepEqual(await readFile(dumped.path), insertsOf(twice)[0]!.body);
  assert.equal((await readdir(join(twice.folder, "requests"))).length, 2);
});

test("poison: a single row whose bytes were damaged on the way is not given up", async () => {
  const recording = await rig.open();
  proxy.on({}, answers(exception(117, "Incorrect data", 400)));
  recording.offer([1]);
  await recording.recorder.flush();
  await recording.check();
  assert.equal(recording.stats().deadLettered, 0);
});

test("our bug: a request that ClickHouse calls wrong is dumped once and pauses its table", async () => {
  const recording = await rig.open();
  proxy.on({ times: 3 }, answers(exception(62, "Syntax error", 400)));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(recording.events.filter((event) => event.kind === "request_dumped").length, 1);
  assert.equal(recording.events.filter((event) => event.kind === "paused").length, 1);
});

test("unknown: an answer nobody knows is retried, then pauses the table, and costs no row", async () => {
  const recording = await rig.open();
  proxy.on({ times: 7 }, answers(exception(31337, "A new kind of trouble")));
  recording.offer(upTo(100));
  const paused = await recording.event("paused");
  assert.equal(paused.code, "31337");
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(recording.stats().insertErrors, { "unknown/31337": 7 });
});

test("a report that throws is a warning, and costs no row", async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const recording = await rig.open({
    report() {
      throw new Error("no log");
    },
  });
  proxy.on({ times: 3 }, answers(exception(202, "Too many simultaneous queries")));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  await new Promise(setImmediate);
  assert.ok(
    warnings.some((message) => /report threw on "retry": no log/.test(message)),
    `${warnings}`,
  );
});

test("an error of our own within a turn is retried, then pauses the table, and costs no row", async (t) => {
  const { user, password } = rig.engine;
  const clickhouse = new ClickHouse({ url: proxy.url, user, password, database: "default" });
  t.after(() => clickhouse.close());
  const recording = await rig.open({ clickhouse });
  t.mock.method(clickhouse, "life", () => Promise.reject(new TypeError("a fault of our own")));
  proxy.on({}, resetAfterStore);
  recording.offer(upTo(100));
  const paused = await recording.event("paused");
  assert.deepEqual([paused.class, paused.message], ["unknown", "a fault of our own"]);
  t.mock.restoreAll();
  await recording.recorder.flush();
  await recording.check();
});

test("a user without the right to write is tried a few times, then the table pauses", async () => {
  const recording = await rig.open();
  proxy.on({ times: 5 }, answers(exception(164, "Cannot execute query in readonly mode")));
  recording.offer(upTo(100));
  await recording.event("paused");
  await recording.recorder.flush();
  await recording.check();
});
