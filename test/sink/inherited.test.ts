import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import type { Exchange, Seen } from "../support/fault-proxy.js";
import { answers, Gate, late } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import { type LaneRig, type Logged, once, openLane, StoryJournal } from "./lane-rig.js";
import { startRig } from "./rig.js";

const rig = await startRig({ after });
const { engine, proxy, direct } = rig;

afterEach(() => proxy.clear());

/** Rows 1 to 4 and 8 to 9, as another partition has 5 to 7. */
const FRAMES = [
  { firstSeq: 1, count: 2 },
  { firstSeq: 3, count: 2 },
  { firstSeq: 8, count: 2 },
];

function logged(run: bigint, rest: Partial<Logged> = {}): Logged {
  return { run, number: 17, frames: FRAMES, inherited: true, ...rest };
}

/** A start of the recorder that dealt with some batches of its own and is gone. */
async function earlierStart(...batches: readonly Omit<Logged, "run" | "inherited">[]): Promise<LaneRig> {
  const lane = await openLane({ after }, rig, { journal: new StoryJournal() });
  for (const batch of batches) lane.give({ ...batch, run: lane.run, inherited: false });
  await lane.settled();
  await lane.close();
  return lane;
}

/** The next start, on the same table. */
async function nextStart({
  name,
}: LaneRig): Promise<{ lane: LaneRig; story: string[]; tokens: () => string[] }> {
  const journal = new StoryJournal();
  const lane = await openLane({ after }, rig, { journal, name });
  const before = proxy.inserts.length;
  const tokens = (): string[] => {
    const sent = proxy.inserts.slice(before).filter((seen) => seen.sql.includes(name));
    return sent.map((seen) => seen.settings.get("insert_deduplication_token")!.split("/").slice(2).join("/"));
  };
  return { lane, story: journal.story, tokens };
}

function isCount(seen: Seen): boolean {
  return seen.sql.includes("uniqExact(seq)") || seen.sql.includes("row_number()");
}

/** Says of every count that nothing is there. */
function denyCounts(): void {
  const headers = { "x-clickhouse-server-display-name": "liar" };
  proxy.on(
    { kind: "other", times: Infinity, where: isCount },
    answers({ status: 200, headers, body: Buffer.from('{"rows":"0","seqs":"0"}\n') }, "denies everything"),
  );
}

test("an inherited batch that is stored is found and not sent", async () => {
  const earlier = await earlierStart({ number: 17, frames: FRAMES });
  const { lane, story, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0 }));
  await lane.settled();
  assert.deepEqual(tokens(), []);
  assert.deepEqual(story, ["stored 17"]);
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
  assert.deepEqual(lane.stats().inherited, { stored: 6, deadLettered: 0 });
  assert.equal(lane.stats().stored, 0);
});

test("one that is not stored is sent under its token, and counted before it is believed", async () => {
  const earlier = await earlierStart();
  const { lane, story, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0 }));
  await lane.settled();
  assert.deepEqual(tokens(), [`${earlier.name}/17/0`]);
  assert.deepEqual(story, ["stored 17"], "it has its seal");
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
  assert.ok(isCount(proxy.requests.at(-1)!), "the last question is how many there are");
});

test("of a batch that was half split only the missing child is sent", async () => {
  const earlier = await earlierStart({ number: 17, frames: FRAMES, part: [0, 3], sealed: 0 });
  const { lane, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0, part: [0, 3] }));
  lane.give(logged(earlier.run, { sealed: 0, part: [3, 6] }));
  await lane.settled();
  assert.deepEqual(tokens(), [`${earlier.name}/17.3-6/0`]);
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
});

test("frames without a seal are asked for one by one: those found are done, the others sent sealed", async () => {
  const earlier = await earlierStart({ number: 17, frames: [FRAMES[1]!] });
  const { lane, story, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { number: 18 }));
  await lane.settled();
  assert.deepEqual(tokens(), [`${earlier.name}/18.0-2/0`, `${earlier.name}/18.4-6/0`]);
  assert.deepEqual(story, [
    "stored 18.2-4",
    ...["seal 18.0-2/0", "stored 18.0-2"],
    ...["seal 18.4-6/0", "stored 18.4-6"],
  ]);
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
});

test("of a sealed batch some frames of which are there, each whole, the others are sent, and that is told", async () => {
  // A start could not read the seal and put the frames together otherwise; the next one can.
  const earlier = await earlierStart({ number: 5000, frames: [FRAMES[1]!] });
  const { lane, story, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0 }));
  await lane.settled();
  const incidents = lane.events.filter((event) => event.kind === "incident");
  assert.deepEqual(
    incidents.map(({ name, expected, found }) => [name, expected, found]),
    [["partly_stored", 6, 2]],
  );
  assert.deepEqual(tokens(), [`${earlier.name}/17.0-2/0`, `${earlier.name}/17.4-6/0`]);
  assert.equal(story[0], "stored 17.2-4");
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
});

test("a frame of which some rows are there is an incident and filled in by nobody", async () => {
  const earlier = await earlierStart({ number: 17, frames: [FRAMES[1]!], part: [0, 1], sealed: 0 });
  const { lane, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { number: 18 }));
  await until("the pause", () => lane.stats().paused !== undefined);
  const incident = lane.events.find((event) => event.kind === "incident");
  assert.deepEqual([incident?.name, incident?.expected, incident?.found], ["partly_stored", 6, 1]);
  assert.deepEqual(tokens(), []);
  assert.deepEqual(await lane.stored(), once(3));
  await lane.close();
});

test("rows of another batch between its frames are not taken for its own", async () => {
  const between = { number: 16, frames: [{ firstSeq: 5, count: 3 }] };
  const earlier = await earlierStart(between);
  const { lane } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0 }));
  await lane.settled();
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 5, 6, 7, 8, 9));
});

test("a token remembered without its rows: the next generation is sealed, then used", async () => {
  const earlier = await earlierStart({ number: 17, frames: FRAMES });
  const [row] = await direct.rows<{ path: string }>(
    `SELECT data_paths[1] AS path FROM system.tables WHERE name = '${earlier.name}'`,
  );
  engine.kill();
  for (const entry of await readdir(row!.path))
    if (/^\d{8}_/.test(entry)) await rm(join(row!.path, entry), { recursive: true });
  await engine.restart();
  const { lane, story, tokens } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0 }));
  await lane.settled();
  assert.deepEqual(tokens(), [`${earlier.name}/17/0`, `${earlier.name}/17/1`]);
  assert.deepEqual(story, ["seal 17/1", "stored 17"]);
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
});

test("rows that lack a column the table has by now are stored with its default", async () => {
  const earlier = await earlierStart();
  const { lane } = await nextStart(earlier);
  lane.give(logged(earlier.run, { sealed: 0, without: ["kind", "px"] }));
  await lane.settled();
  const rows = await direct.rows(`SELECT DISTINCT kind, px FROM ${earlier.name}`);
  assert.deepEqual(rows, [{ kind: "a", px: "0" }]);
});

/** An INSERT of an earlier start that still runs: every row takes its time. */
async function runningInsert(
  name: string,
  run: bigint,
  batch: number,
  rows = 10,
): Promise<{ readonly ended: Promise<void>; readonly isOver: boolean }> {
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  after(() => clickhouse.close());
  const attempt = `rig/${run.toString(16).padStart(16, "0")}/${name}/${batch}/0/1`;
  const ended = clickhouse.command(
    `INSERT INTO ${name} (ts, id, env, recorder, run, seq)
     SELECT toDateTime64('2024-08-08 12:00:00', 9, 'UTC'), number + 1, 'test', 'rig', ${run}, number + 1 + sleepEachRow(0.1)
     FROM numbers(${rows}) SETTINGS max_block_size = 1`,
    { settings: { log_comment: attempt, insert_deduplicate: 0 } },
  );
  const isSeen = `SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] = '${attempt}'`;
  await until("the insert", async () => (await direct.rows<{ n: string }>(isSeen))[0]!.n !== "0");
  let isOver = false;
  void ended.then(
    () => (isOver = true),
    () => {},
  );
  return {
    ended,
    get isOver() {
      return isOver;
    },
  };
}

test("an attempt of an earlier start that still runs is ended before the rows are counted", async () => {
  const earlier = await earlierStart();
  const insert = await runningInsert(earlier.name, earlier.run, 3, 200);
  const ended = assert.rejects(insert.ended, { clickhouseCode: 394 });
  const { lane } = await nextStart(earlier);
  lane.give(logged(earlier.run, { number: 18 }));
  await lane.settled();
  await ended;
  assert.deepEqual(await lane.stored(), once(1, 2, 3, 4, 8, 9));
});

test("neither one of another table nor of this start is ended", async () => {
  const earlier = await earlierStart();
  // `t_x` and `t_x7`: a prefix without its end would take one for the other.
  const other = `${earlier.name}7`;
  await direct.command(`CREATE TABLE ${other} AS ${earlier.name}`);
  const insert = await runningInsert(other, earlier.run, 17);
  const { lane } = await nextStart(earlier);
  lane.give(logged(earlier.run, { number: 18 }));
  lane.give(logged(earlier.run, { number: 19, frames: [{ firstSeq: 20, count: 1 }] }));
  await lane.settled();
  await insert.ended;
  const kills = proxy.requests.filter(
    ({ sql, settings }) =>
      sql.startsWith("KILL QUERY") && settings.get("param_prefix")?.endsWith(`/${earlier.name}/`),
  );
  assert.equal(kills.length, 1, "by the second batch our own attempts bear such names");
});

/** The request of a start that is gone waits somewhere in between, and arrives when the next start has stored its batches. */
async function arrivesLate(next: (run: bigint) => readonly Logged[]): Promise<Record<string, number>> {
  const gate = new Gate();
  proxy.on({}, late(gate));
  const earlier = await openLane({ after }, rig, { journal: new StoryJournal() });
  earlier.give({ run: earlier.run, number: 17, frames: FRAMES, inherited: false });
  await proxy.until(() => proxy.inserts.at(-1)!.sql.includes(earlier.name));
  const lateOne = proxy.inserts.at(-1)!;
  await earlier.close();
  const { lane } = await nextStart(earlier);
  for (const batch of next(earlier.run)) lane.give(batch);
  await lane.settled();
  gate.open();
  await proxy.until(() => lateOne.status !== undefined);
  return await lane.stored();
}

test("a request that arrives after the next start stored its batch changes nothing", async () => {
  assert.deepEqual(await arrivesLate((run) => [logged(run, { sealed: 0 })]), once(1, 2, 3, 4, 8, 9));
});

test("without the seal the oracle sees such rows doubled", async () => {
  const regrouped = (run: bigint): Logged[] => [
    logged(run, { number: 18, frames: FRAMES.slice(0, 2) }),
    logged(run, { number: 19, frames: FRAMES.slice(2) }),
  ];
  const found = await arrivesLate(regrouped);
  assert.deepEqual(new Set(Object.values(found)), new Set([2]));
});

test("without the question the oracle sees an inherited batch doubled", async () => {
  const earlier = await earlierStart({ number: 17, frames: FRAMES });
  const { lane } = await nextStart(earlier);
  denyCounts();
  lane.give(logged(earlier.run, { number: 18 }));
  while (Object.values(await lane.stored()).every((n) => n === 1));
  await lane.close();
});

/** How often a row is stored that the next start sends beside an INSERT of so many rows that is not ended; undefined if that ended first. */
async function storedBeside(rows: number): Promise<number | undefined> {
  const earlier = await earlierStart();
  const insert = await runningInsert(earlier.name, earlier.run, 3, rows);
  const headers = { "x-clickhouse-server-display-name": "liar" };
  const isFence = ({ sql }: Seen): boolean => sql.startsWith("KILL") || sql.includes("system.processes");
  proxy.on(
    { kind: "other", times: Infinity, where: isFence },
    {
      name: "nothing runs",
      async befall(exchange: Exchange) {
        const body = Buffer.from(exchange.seen.sql.startsWith("KILL") ? "" : '{"n":"0"}\n');
        await exchange.reply({ status: 200, headers, body });
      },
    },
  );
  const { lane } = await nextStart(earlier);
  lane.give(logged(earlier.run, { number: 18 }));
  await lane.settled();
  const isInTime = !insert.isOver;
  await insert.ended;
  const times = (await lane.stored())["1"];
  await lane.close();
  proxy.clear();
  return isInTime ? times : undefined;
}

test("without ending what runs the oracle sees an inherited batch doubled", async () => {
  let times: number | undefined;
  // An INSERT that ended before its rows were counted shows nothing: a slow machine needs a longer one.
  for (let rows = 10; times === undefined; rows *= 4) times = await storedBeside(rows);
  assert.equal(times, 2);
});
