import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { HastyClock } from "../support/clock.js";
import type { Fault, Seen } from "../support/fault-proxy.js";
import {
  answers,
  answersAfterStore,
  cutAnswer,
  exception,
  exceptionIn200,
  Gate,
  hang,
  hangAfterStore,
  headerOnly200,
  held,
  html,
  late,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { type Recording, startRig, upTo } from "./rig.js";

const rig = await startRig({ after });

afterEach(() => {
  rig.proxy.clear();
  rig.proxy.rewrite = undefined;
});

/** The tokens under which a table's batches were sent, in order. */
function tokensOf({ name }: Recording): string[] {
  return rig.proxy.inserts
    .filter((seen) => seen.sql.includes(name))
    .map((seen) => seen.settings.get("insert_deduplication_token")!);
}

/** A recording whose clock jumps over a minute at the first failure, so that the batch is asked for. */
async function openWithLateAnswers(options: Parameters<typeof rig.open>[0] = {}): Promise<Recording> {
  const clock = new HastyClock();
  let hasJumped = false;
  return await rig.open({
    clock,
    report(event) {
      if (event.kind === "retry" && !hasJumped) {
        hasJumped = true;
        clock.advance(60_000);
      }
    },
    ...options,
  });
}

test("a batch whose connection broke before ClickHouse saw it is stored once", async () => {
  const recording = await rig.open();
  rig.proxy.on({}, resetBeforeStore);
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(recording.stats().insertErrors["retry/no_answer"], 1);
});

const STORED_UNSEEN: readonly Fault[] = [
  resetAfterStore,
  cutAnswer,
  answersAfterStore(html(502), "502 page after store"),
  answersAfterStore(exceptionIn200(159), "exception in a 200 after store"),
  answersAfterStore(headerOnly200(209), "200 with an exception header after store"),
  answersAfterStore(html(200), "a page in place of the answer after store"),
];

for (const fault of STORED_UNSEEN) {
  test(`a batch that was stored is not stored again: ${fault.name}`, async () => {
    const recording = await rig.open();
    rig.proxy.on({}, fault);
    recording.offer(upTo(100));
    await recording.recorder.flush();
    await recording.check();
    const [first, second, ...more] = rig.proxy.inserts.filter((seen) => seen.sql.includes(recording.name));
    assert.deepEqual(more, []);
    assert.equal(first!.status, 200, "the first attempt was stored");
    assert.deepEqual(first!.body, second!.body, "the same bytes");
    const setting = (name: string): (string | undefined)[] =>
      [first!, second!].map((seen) => seen.settings.get(name));
    const [token, sameToken] = setting("insert_deduplication_token");
    assert.equal(token, sameToken);
    const [id, otherId] = setting("query_id");
    assert.notEqual(id, otherId);
  });
}

test("without the token the oracle sees the rows doubled", async () => {
  const recording = await rig.open();
  rig.proxy.rewrite = (settings) => settings.set("deduplicate_insert", "disable");
  rig.proxy.on({}, resetAfterStore);
  recording.offer(upTo(3));
  await recording.recorder.flush();
  assert.deepEqual(await recording.differences(), ["0: 1, 2", "1: 1, 2", "2: 1, 2"]);
});

test("a request that arrives after its retry was stored changes nothing", async () => {
  const recording = await rig.open();
  const gate = new Gate();
  rig.proxy.on({}, late(gate));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  gate.open();
  const lateOne = rig.proxy.inserts.at(-2)!;
  await rig.proxy.until(() => lateOne.status !== undefined);
  assert.equal(lateOne.status, 200);
  await recording.check();
});

test("a stored batch whose answer is older than a minute is asked for and not sent again", async () => {
  const recording = await openWithLateAnswers();
  rig.proxy.on({}, resetAfterStore);
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(tokensOf(recording).length, 1);
});

test("a batch that is not there after a minute is sent again under its token", async () => {
  const recording = await openWithLateAnswers({ deadlineMs: 200 });
  rig.proxy.on({}, hang);
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  const [first, second] = tokensOf(recording);
  assert.equal(first, second);
});

test("a request that arrives after the rows were asked for and sent again changes nothing", async () => {
  const recording = await openWithLateAnswers();
  const gate = new Gate();
  rig.proxy.on({}, late(gate));
  recording.offer(upTo(100));
  await recording.recorder.flush();
  const [lateOne] = rig.proxy.inserts.filter((seen) => seen.sql.includes(recording.name));
  gate.open();
  await rig.proxy.until(() => lateOne!.status !== undefined);
  await recording.check();
});

test("an attempt that still runs is ended before its rows are counted", async () => {
  // Each row takes 20 ms to insert, so the attempt outlives its deadline by far.
  const recording = await openWithLateAnswers({
    columns: ", pause UInt8 MATERIALIZED sleepEachRow(0.02)",
    deadlineMs: 300,
  });
  const { name } = recording;
  const gate = new Gate();
  const isCount = (seen: Seen): boolean => seen.sql.includes(`uniqExact(seq)`) && seen.sql.includes(name);
  rig.proxy.on({}, hangAfterStore);
  rig.proxy.on({ kind: "other", where: isCount }, held(gate));
  recording.offer(upTo(100));
  const flushed = recording.recorder.flush();
  await rig.proxy.until(() => rig.proxy.requests.some(isCount));
  const running = `SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '%${name}%'`;
  assert.equal(await rig.direct.text(`${running} FORMAT TSV`), "0\n");
  assert.ok(rig.proxy.requests.some((seen) => seen.sql.startsWith("KILL QUERY")));
  await rig.direct.command(`ALTER TABLE ${name} MODIFY COLUMN pause UInt8 MATERIALIZED 0`);
  gate.open();
  await flushed;
  await recording.check();
});

test("an attempt that nobody may kill is waited for", async () => {
  const recording = await openWithLateAnswers({
    columns: ", pause UInt8 MATERIALIZED sleepEachRow(0.008)",
    deadlineMs: 200,
  });
  const isKill = (seen: Seen): boolean => seen.sql.startsWith("KILL QUERY");
  rig.proxy.on({}, hangAfterStore);
  rig.proxy.on(
    { kind: "other", where: isKill, times: 1000 },
    answers(exception(497, "Not enough privileges")),
  );
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
  assert.equal(tokensOf(recording).length, 1, "it was found stored when it had ended");
});

test("a partly stored batch is an incident, and nothing is sent until somebody has mended it", async () => {
  const recording = await openWithLateAnswers();
  const { name } = recording;
  const { run } = recording.recorder;
  await rig.direct.command(
    `INSERT INTO ${name} (ts, id, env, recorder, run, seq) VALUES ('2024-08-08 12:00:00', 3, 'test', 'rig', ${run}, 4)`,
  );
  rig.proxy.on({}, resetBeforeStore);
  recording.offer(upTo(10));
  const flushed = recording.recorder.flush();
  const incident = await recording.event("incident");
  assert.deepEqual(incident, {
    kind: "incident",
    name: "partly_stored",
    table: name,
    partition: "2024-08-08",
    firstSeq: "1",
    lastSeq: "10",
    expected: 10,
    found: 1,
  });
  assert.equal(recording.stats().paused?.class, "partly_stored");
  assert.equal(tokensOf(recording).length, 1);
  await rig.direct.command(`ALTER TABLE ${name} DELETE WHERE seq = 4`, { settings: { mutations_sync: 2 } });
  await flushed;
  await recording.check();
  assert.equal(recording.stats().paused, undefined);
});

test("rows that were stored twice by others are reported by name", async () => {
  const recording = await openWithLateAnswers();
  const { name } = recording;
  const twice: Fault = {
    name: "stored, and once more",
    async befall(exchange) {
      await exchange.forward();
      await rig.direct.command(`INSERT INTO ${name} SELECT * FROM ${name}`);
      exchange.reset();
    },
  };
  rig.proxy.on({}, twice);
  recording.offer(upTo(10));
  await recording.recorder.flush();
  const incident = await recording.event("incident");
  assert.deepEqual([incident.name, incident.expected, incident.found], ["stored_twice", 10, 20]);
});

test("rows that are equal stay as many as they were", async () => {
  const recording = await rig.open({ table: { flush: { rows: 4, bytes: 2 ** 20, age: 60_000 } } });
  rig.proxy.on({ times: 3 }, resetAfterStore);
  for (let i = 0; i < 6; i += 1) {
    recording.offer([7, 7, 7, 7]);
    await recording.recorder.flush();
  }
  assert.equal(recording.ledger.get(7), 24);
  await recording.check();
});

for (const [partitionBy, edge] of [
  ["toDate(ts)", Date.UTC(2024, 7, 9)],
  ["toYYYYMM(ts)", Date.UTC(2024, 1, 29, 24)],
] as const) {
  test(`each INSERT is one part, also where ${partitionBy} changes and times jump back`, async () => {
    const recording = await rig.open({ partitionBy });
    await rig.direct.command(`SYSTEM STOP MERGES ${recording.name}`);
    rig.proxy.on({ skip: 1, times: 2 }, resetAfterStore);
    const before = rig.proxy.inserts.length;
    for (const id of upTo(500)) {
      // A minute around the edge, back and forth.
      const ts = BigInt(edge) * 1_000_000n + BigInt(((id * 7919) % 60_000) - 30_000) * 1_000_000n;
      recording.offer([id], { ts });
    }
    await recording.recorder.flush();
    await recording.check();
    const tokens = new Set(
      rig.proxy.inserts.slice(before).map((seen) => seen.settings.get("insert_deduplication_token")),
    );
    const parts = await rig.direct.rows<{ partition: string }>(
      `SELECT partition FROM system.parts WHERE table = '${recording.name}' AND active`,
    );
    assert.equal(parts.length, tokens.size);
    assert.equal(new Set(parts.map(({ partition }) => partition)).size, 2);
  });
}
