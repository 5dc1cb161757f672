import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { MARKET_DATA_LADDER } from "../../src/config/degrade.js";
import { Recorder, type RecorderEvent, type TablePolicy } from "../../src/recorder.js";
import type { Writer } from "../../src/table-writer.js";
import { recorderOptions } from "../intake/fixture.js";
import { checkSums } from "../sink/rig.js";
import { ManualClock } from "../support/clock.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { Gate, held } from "../support/fault-proxy-faults.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { randomOf } from "../support/random.js";

/** Noon: a multiple of all intervals. */
const NOON = Date.UTC(2024, 7, 8, 12);
const NORMAL = 0;
const DROP_QUOTES = 6;
const DROP_TRADES = 7;
const LOOK_MS = 25;

const { engine } = await startMigratedEngine({ after });
const { user, password } = engine;
const proxy = await FaultProxy.start({ after }, engine.url);
const at = (url: string): ClickHouse => new ClickHouse({ url, user, password, database: "coldpath" });
const direct = at(engine.url);
const proxied = at(proxy.url);
after(() => Promise.all([direct.close(), proxied.close()]));

/** A recorder on a clock of its own, whose market data ClickHouse takes when the gate is open. */
async function open(t: TestContext, queueRows: number, flushRows: number) {
  const gate = new Gate();
  const isMarketData = ({ sql }: { sql: string }): boolean => /INSERT INTO \S*market_data/.test(sql);
  proxy.on({ kind: "insert", where: isMarketData, times: Infinity }, held(gate));
  const clock = new ManualClock(NOON);
  const events: RecorderEvent[] = [];
  const options = recorderOptions(proxied, await temporaryFolder(t));
  const plain = options.tables["market_data"]!;
  const flush = { ...plain.flush, age: 60_000 };
  const recorder = await Recorder.open({
    ...options,
    tables: {
      market_data: {
        ...plain,
        flush: { ...flush, rows: flushRows },
        queue: { rows: queueRows },
        degrade: MARKET_DATA_LADDER,
      },
      system_events: { ...plain, class: "critical", flush },
    },
    conditions: { drop_rate: 0.01, level_held: 600_000, spool_usage: 1 },
    clock,
    report: (event) => events.push(event),
  });
  t.after(async () => {
    gate.open();
    proxy.clear();
    await recorder.close({ deadlineMs: 10_000 });
  });
  const writer = recorder.table("market_data");
  let seq = 0;
  const offer = (kind: "quote" | "trade", ms: number, row: Readonly<Record<string, unknown>>): void => {
    seq += 1;
    const time = BigInt(NOON + ms) * 1_000_000n;
    assert.ok(writer.offer({ ts_exchange: time, ts_local: time, kind, exchange_seq: seq, ...row }));
  };
  const trade = { symbol: "A", last_px: 1, last_qty: 1, last_side: "buy" };
  const numberOf = async (sql: string): Promise<number> =>
    Number(await direct.text(`SELECT ${sql} FORMAT TSV`));
  const where = `run = ${recorder.run}`;
  const gapRows = (condition: string): Promise<number> =>
    numberOf(`sum(rows) FROM system_events WHERE ${where} AND kind = 'data_gap' AND ${condition}`);
  const isToldOnRows = "attributes['reason'] IN ('sampled', 'deduplicated')";
  return {
    recorder,
    clock,
    gate,
    events,
    offer,
    trade,
    where,
    numberOf,
    levels: () => events.filter((event) => event.kind === "level"),
    stats: () => recorder.stats().tables["market_data"]!,
    toldByLadder: () => gapRows(isToldOnRows),
    lost: () => gapRows(`NOT ${isToldOnRows}`),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Every change of level was told by one event and one row, each from where the last one led to. */
async function checkTold({ levels, where, stats }: Opened): Promise<void> {
  const told = levels().map(({ from, to, step, forced, cause }) => ({ from, to, step, forced, cause }));
  let level = NORMAL;
  for (const { from, to } of told) {
    assert.equal(from, level);
    assert.ok(to > from || to === from - 1, "down one step");
    level = to;
  }
  assert.equal(stats().level.changes, told.length);
  assert.equal(stats().level.index, level);
  const rows = await direct.rows<{ readonly forced: number }>(
    `SELECT toUInt32(attributes['from']) AS from, toUInt32(attributes['to']) AS to, attributes['step'] AS step,
       attributes['forced'] = 'true' AS forced, attributes['cause'] AS cause
     FROM system_events WHERE ${where} AND kind = 'level' AND attributes['table'] = 'market_data' ORDER BY seq`,
  );
  assert.deepEqual(
    rows.map((row) => ({ ...row, forced: row.forced === 1 })),
    told,
  );
}

test("a flood degrades step by step down to dropping quotes, keeps all trades, and calm leads back to normal", async (t) => {
  const opened = await open(t, 1000, 100);
  const { recorder, clock, gate, events, offer, trade, numberOf, where, levels, stats } = opened;
  const pick = randomOf(t);
  const ROWS = 6000;
  let trades = 0;
  for (let row = 0; row < ROWS; row += 1) {
    const symbol = `S${pick.below(20)}`;
    const isTrade = pick() < 0.1;
    if (isTrade) trades += 1;
    if (isTrade) offer("trade", row * 2, { ...trade, symbol });
    else offer("quote", row * 2, { symbol, bid_px1: pick.below(3), ask_px1: 4 });
    if (row % 10 === 9) clock.advance(LOOK_MS);
    if (row % 50 === 49) await nextTurn();
  }
  const highest = Math.max(...levels().map(({ to }) => to));
  assert.equal(highest, DROP_QUOTES);
  const firstDrop = events.findIndex(({ kind }) => kind === "dropped");
  const allowed = events.findIndex((event) => event.kind === "level" && event.to >= DROP_QUOTES);
  assert.ok(allowed >= 0 && firstDrop > allowed, "nothing is dropped before the level says so");
  checkSums(stats());
  gate.open();
  proxy.clear();
  await recorder.flush();
  clock.advance(60_000);
  await recorder.flush();
  assert.equal(stats().level.index, NORMAL);
  assert.ok(stats().pressure.value < 0.1, `${stats().pressure.value}`);
  checkSums(stats());
  await checkTold(opened);
  const stored = await numberOf(`count() FROM market_data WHERE ${where}`);
  assert.equal(stats().stored, stored);
  assert.equal(
    await numberOf(`uniqExact(exchange_seq) FROM market_data WHERE ${where} AND kind = 'trade'`),
    trades,
  );
  const skipped = await numberOf(`sum(skipped) FROM market_data WHERE ${where}`);
  await recorder.close({ deadlineMs: 10_000 });
  assert.equal(stored + skipped + (await opened.lost()), ROWS, "every row is stored or told of");
  assert.equal(await opened.toldByLadder(), stats().deduplicated + stats().sampled);
});

test("trades are dropped at the last step alone, which is entered by force when nothing else makes room", async (t) => {
  const opened = await open(t, 300, 50);
  const { recorder, gate, events, offer, trade, levels, stats } = opened;
  for (let row = 0; row < 1000; row += 1) offer("trade", row, trade);
  assert.deepEqual(
    levels().map(({ from, to, forced, cause }) => [from, to, forced, cause]),
    [
      [NORMAL, DROP_QUOTES, true, "queue"],
      [DROP_QUOTES, DROP_TRADES, true, "queue"],
    ],
  );
  const kinds = events.map(({ kind }) => kind).filter((kind) => kind === "level" || kind === "dropped");
  assert.deepEqual(kinds.slice(0, 3), ["level", "level", "dropped"]);
  gate.open();
  proxy.clear();
  await recorder.flush();
  await recorder.flush();
  checkSums(stats());
  await checkTold(opened);
  const dropped = stats().dropped["queue_full"]!;
  assert.ok(dropped >= 700, `${dropped}`);
  assert.equal(stats().stored, 1000 - dropped);
  assert.equal(await opened.lost(), dropped);
});

test("rules that are changed at run time hold together with those of the level, and alone once it is left", async (t) => {
  const opened = await open(t, 1000, 100);
  const { recorder, clock, gate, offer, trade, stats } = opened;
  const OFF: TablePolicy = { dedup: "none", sample: 0, conflate: 0, series: 9, by: [], news: [], time: "" };
  for (let row = 0; row < 850; row += 1) offer("trade", row, trade);
  clock.advance(LOOK_MS);
  assert.equal(stats().level.step, "sample 50ms");
  let second = 1;
  /** 200 quotes a millisecond apart; gives how many were sampled away. */
  const sampled = (policy?: Partial<TablePolicy>): number => {
    if (policy !== undefined) recorder.change({ tables: { market_data: { policy: { ...OFF, ...policy } } } });
    const before = stats().sampled;
    for (let ms = 0; ms < 200; ms += 1) offer("quote", second * 1000 + ms, { symbol: "A", bid_px1: ms });
    second += 1;
    return stats().sampled - before;
  };
  assert.equal(sampled(), 4 * 48, "first and last of each 50 ms, by the level");
  assert.equal(sampled({ sample: 200 }), 198, "first and last of all 200 ms, by the user");
  assert.equal(sampled({ conflate: 10 }), 4 * 49, "the last of each 50 ms, by both");
  assert.equal(sampled({}), 4 * 48, "by the level again");
  gate.open();
  proxy.clear();
  await recorder.flush();
  clock.advance(60_000);
  assert.equal(stats().level.step, "normal");
  assert.equal(sampled(), 0);
  assert.equal(sampled({ sample: 200 }), 198, "by the user alone");
  await recorder.flush();
  await recorder.flush();
  await checkTold(opened);
  assert.equal(await opened.toldByLadder(), 4 * 48 + 4 * 49 + 4 * 48, "what the user asked for is no gap");
  checkSums(stats());
});

test("a condition and rows that do not add up are rows of system_events as they begin and as they are over", async (t) => {
  const { recorder, clock, gate, offer, trade, where } = await open(t, 300, 50);
  for (let row = 0; row < 1000; row += 1) offer("trade", row, trade);
  const { buffer } = recorder.table("market_data") as Writer;
  clock.advance(1_000);
  gate.open();
  proxy.clear();
  await recorder.flush();
  clock.advance(62_000);
  // As if a row had been counted that never came.
  buffer.settle(-1);
  clock.advance(1_000);
  buffer.settle(1);
  clock.advance(61_000);
  await recorder.flush("system_events");
  const rows = await direct.rows(
    `SELECT kind, severity, component, attributes['table'] AS table, attributes['name'] AS name, attributes['accepted'] AS accepted,
       attributes['changes'] AS changes FROM system_events WHERE ${where} AND kind IN ('condition', 'conservation') ORDER BY seq`,
  );
  const row = { component: "health", table: "market_data", changes: "1" };
  const drops = { ...row, kind: "condition", name: "drop_rate", accepted: "" };
  const sums = { ...row, kind: "conservation", name: "" };
  assert.deepEqual(rows, [
    { ...drops, severity: "warning" },
    { ...drops, severity: "info" },
    { ...sums, severity: "error", accepted: "-1" },
    { ...sums, severity: "info", accepted: "0" },
  ]);
});
