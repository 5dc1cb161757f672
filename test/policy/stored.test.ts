import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { MINUTE_MS } from "../../src/base/units.js";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import type { PolicyRules } from "../../src/policy/policy.js";
import { Recorder } from "../../src/recorder.js";
import { recorderOptions, startTables } from "../intake/fixture.js";
import { ManualClock } from "../support/clock.js";
import { temporaryFolder } from "../support/folder.js";
import { type Random, randomOf } from "../support/random.js";

const clickhouse = await startTables({ after });
const START = Date.UTC(2024, 7, 8, 12) * 1000;
const OFF: PolicyRules = { dedup: "none", sample: 0, conflate: 0, series: 1000 };

type AnyRow = Record<string, unknown>;

async function open(t: TestContext, name: string, rules: Partial<PolicyRules>) {
  const options = recorderOptions(clickhouse, await temporaryFolder(t), undefined, [
    "market_data",
    "system_events",
  ]);
  const clock = new ManualClock(START / 1000);
  const policy = { ...OFF, ...rules, by: [], news: [], time: "" };
  const market_data = { ...options.tables["market_data"]!, policy };
  const recorder = await Recorder.open({
    ...options,
    recorder: name,
    tables: { ...options.tables, market_data },
    clock,
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await recorder.close({ deadlineMs: 10_000 });
  };
  t.after(close);
  return { recorder, clock, close };
}

/** Quotes, depth and trades of few symbols that repeat themselves often, in bursts and with pauses. */
function market(pick: Random, rows: number): AnyRow[] {
  let micros = START;
  return Array.from({ length: rows }, (_, index) => {
    micros += pick.of([0, 0, 100, 3_000, 20_000, 300_000]);
    const kind = pick.of(["quote", "quote", "quote", "depth", "trade"]);
    const px = (): string => pick.of(["1.50", "1.5", "1.51"]);
    const level = kind === "quote" ? { bid_px1: px(), bid_sz1: pick.below(2), ask_px1: 2, ask_sz1: 1n } : {};
    const depth =
      kind === "depth" ? { bid_px: [px(), "1.4"], bid_sz: [1, 2], ask_px: [2], ask_sz: [pick.below(2)] } : {};
    const trade = kind === "trade" ? { last_px: px(), last_qty: 1, last_side: "buy" } : {};
    const time = BigInt(micros) * 1000n;
    const symbol = pick.of(["A", "B", "C"]);
    return {
      ts_exchange: time,
      ts_local: time,
      symbol,
      kind,
      exchange_seq: index,
      ...level,
      ...depth,
      ...trade,
    };
  });
}

/** What plain SQL keeps of all rows, as `exchange_seq` and the rows left out before each. */
function expected(rules: PolicyRules): string {
  const { dedup, sample, conflate } = rules;
  const step = Math.max(sample, conflate) * 1_000_000;
  const over =
    "OVER (PARTITION BY symbol, kind ORDER BY exchange_seq ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)";
  const said = "toString((bid_px1, bid_sz1, ask_px1, ask_sz1, bid_px, bid_sz, ask_px, ask_sz))";
  const isNews = dedup === "none" ? "1" : `kind = 'trade' OR lagInFrame(${said}, 1, '') ${over} != ${said}`;
  const bucket = step === 0 ? "exchange_seq" : `intDiv(toUnixTimestamp64Nano(ts_local), ${step})`;
  const [first, last] = [`lagInFrame(b, 1, 0) ${over} != b`, `leadInFrame(b, 1, 0) ${over} != b`];
  const isKept = step === 0 ? "1" : `kind = 'trade' OR ${last}${conflate > 0 ? "" : ` OR ${first}`}`;
  return `
    WITH numbered AS (
      SELECT *, row_number() OVER (PARTITION BY symbol, kind ORDER BY exchange_seq) AS n, ${isNews} AS is_news
      FROM market_data WHERE recorder = {all:String}),
    news AS (SELECT *, ${bucket} AS b FROM numbered WHERE is_news),
    kept AS (SELECT *, ${isKept} AS is_kept FROM news)
    SELECT exchange_seq AS id, n - lagInFrame(n, 1, 0)
      OVER (PARTITION BY symbol, kind ORDER BY exchange_seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) - 1 AS skipped
    FROM kept WHERE is_kept ORDER BY id`;
}

async function storedBy(recorder: string): Promise<unknown[]> {
  return await clickhouse.rows(
    `SELECT exchange_seq AS id, toInt64(skipped) AS skipped FROM market_data WHERE recorder = {recorder:String} ORDER BY id`,
    { params: { recorder } },
  );
}

const CASES: readonly (readonly [string, Partial<PolicyRules>])[] = [
  ["dedup", { dedup: "bbo" }],
  ["sample", { sample: 400 }],
  ["conflate", { conflate: 400 }],
  ["dedup then sample", { dedup: "bbo", sample: 50 }],
  ["dedup then conflate", { dedup: "bbo", conflate: 1000 }],
];

for (const [name, rules] of CASES) {
  test(`${name}: the rows kept, and the rows told as skipped, are those that SQL finds in the full tape`, async (t) => {
    const rows = market(randomOf(t), 5000);
    const [all, thin] = [`all ${name}`, `thin ${name}`];
    const full = await open(t, all, {});
    const thinned = await open(t, thin, rules);
    for (const row of rows) {
      full.recorder.table("market_data").offer(row);
      thinned.recorder.table("market_data").offer(row);
    }
    const { accepted, deduplicated, sampled, pending } = thinned.recorder.stats().tables["market_data"]!;
    assert.equal(accepted, rows.length);
    assert.equal(pending.rows + deduplicated + sampled, rows.length);
    await full.close();
    await thinned.close();
    const want = await clickhouse.rows(expected({ ...OFF, ...rules }), { params: { all } });
    assert.deepEqual(await storedBy(thin), want);
    assert.ok(want.length < rows.length * 0.9, "the policy leaves rows out");
    assert.equal(await untold(clickhouse, thin, want, rows.length), 0n);
  });
}

/** Rows that neither were kept, nor are told by a kept row, nor by a gap. */
async function untold(from: ClickHouse, recorder: string, kept: unknown[], rows: number): Promise<bigint> {
  const told = (kept as { skipped: string }[]).reduce((sum, { skipped }) => sum + BigInt(skipped) + 1n, 0n);
  const [gaps] = await from.rows<{ n: string }>(
    "SELECT ifNull(sum(rows), 0) AS n FROM system_events WHERE recorder = {recorder:String} AND kind = 'data_gap'",
    { params: { recorder } },
  );
  return BigInt(rows) - told - BigInt(gaps!.n);
}

const QUOTE = { symbol: "Q", kind: "quote", bid_px1: 1, bid_sz1: 1, ask_px1: 2, ask_sz1: 1 };
const quoteAt = (ms: number, px = 1): AnyRow => {
  const time = new Date(START / 1000 + ms);
  return { ...QUOTE, ts_exchange: time, ts_local: time, bid_px1: px, exchange_seq: ms };
};

test("the last value before a quiet stretch is stored when its interval is over, without another row", async (t) => {
  const { recorder, clock } = await open(t, "quiet", { sample: 50 });
  const writer = recorder.table("market_data");
  const tickets = [1, 2, 3].map((px) => writer.offer(quoteAt(px, px))!);
  assert.equal(recorder.stats().tables["market_data"]!.sampled, 1);
  clock.advance(49);
  assert.equal(recorder.stats().tables["market_data"]!.pending.rows, 2);
  clock.advance(MINUTE_MS);
  await recorder.flush();
  await Promise.all(tickets.map((ticket) => ticket.stored));
  assert.deepEqual(await storedBy("quiet"), [
    { id: "1", skipped: "0" },
    { id: "3", skipped: "1" },
  ]);
});

test("a row that is refused is no reason to leave out the next", async (t) => {
  const { recorder } = await open(t, "refused", { dedup: "bbo" });
  const writer = recorder.table("market_data");
  assert.throws(() => writer.offer({ ...quoteAt(1), ts_exchange: "never" }), { code: "VALUE_REJECTED" });
  writer.offer(quoteAt(2));
  writer.offer(quoteAt(3));
  await recorder.flush();
  assert.deepEqual(await storedBy("refused"), [{ id: "2", skipped: "0" }]);
});

test("a symbol that is no text costs its row alone, whatever it is", async (t) => {
  const { recorder } = await open(t, "no text", { dedup: "bbo", conflate: 50 });
  const writer = recorder.table("market_data");
  for (const symbol of [JSON.parse('{ "toString": 1 }'), [Object.create(null)], null])
    for (const ms of [1, 2]) writer.offer({ ...quoteAt(ms), symbol });
  writer.offer(quoteAt(3));
  await recorder.flush();
  assert.deepEqual(await storedBy("no text"), [{ id: "3", skipped: "0" }]);
  const { deadLettered, deduplicated } = recorder.stats().tables["market_data"]!;
  assert.deepEqual([deadLettered, deduplicated], [2, 4]);
});

test("a held row that does not fit goes to the dead letters, and the sum still holds", async (t) => {
  const { recorder } = await open(t, "held", { conflate: 50 });
  const writer = recorder.table("market_data");
  writer.offer({ ...quoteAt(1), ts_exchange: "never" });
  await recorder.flush();
  const { accepted, deadLettered, pending, stored } = recorder.stats().tables["market_data"]!;
  assert.deepEqual(
    { accepted, deadLettered, pending: pending.rows, stored },
    { accepted: 1, deadLettered: 1, pending: 0, stored: 0 },
  );
});

test("rows left out before a held row that is refused are told by the next one, or by a gap", async (t) => {
  const { recorder, close } = await open(t, "untold", { dedup: "bbo", conflate: 50 });
  const writer = recorder.table("market_data");
  /** Two rows left out, and one that is held in their place and refused. */
  const refused = (ms: number): void => {
    for (const px of [1, 2]) writer.offer(quoteAt(ms + px, px));
    writer.offer({ ...quoteAt(ms + 3, 3), ts_exchange: "never" });
  };
  refused(0);
  await recorder.flush();
  // What the refused one said is news yet.
  writer.offer(quoteAt(50, 3));
  await recorder.flush();
  refused(100);
  await close();
  const kept = await storedBy("untold");
  assert.deepEqual(kept, [{ id: "50", skipped: "2" }]);
  const { deadLettered } = recorder.stats().tables["market_data"]!;
  assert.equal(await untold(clickhouse, "untold", kept, 7), BigInt(deadLettered));
  assert.equal(deadLettered, 2);
});

test("a row left out with a time that no column takes is told in a gap that names the other times", async (t) => {
  const { recorder, close } = await open(t, "far", { dedup: "bbo" });
  const writer = recorder.table("market_data");
  for (const at of [1, 2]) writer.offer(quoteAt(at));
  for (const ts_local of [10n ** 19n, -(10n ** 19n), "9999-12-31T00:00:00Z"])
    writer.offer({ ...quoteAt(3), ts_local });
  await close();
  const gaps = await clickhouse.rows(
    "SELECT rows, toString(from_ts) AS from, toString(to_ts) AS to FROM system_events WHERE recorder = 'far' AND kind = 'data_gap'",
  );
  const at = "2024-08-08 12:00:00.002000000";
  assert.deepEqual(gaps, [{ rows: "4", from: at, to: at }]);
});

test("series are bounded: the one not seen for longest is forgotten, with a gap for what it left out", async (t) => {
  const { recorder, close } = await open(t, "bounded", { dedup: "bbo", series: 10 });
  const writer = recorder.table("market_data");
  for (let symbol = 0; symbol < 100; symbol += 1)
    for (let repeat = 0; repeat < 3; repeat += 1)
      writer.offer({ ...quoteAt(symbol * 3 + repeat), symbol: `S${symbol}` });
  const { deduplicated } = recorder.stats().tables["market_data"]!;
  assert.equal(deduplicated, 200);
  await close();
  assert.equal((await storedBy("bounded")).length, 100);
  const [gaps] = await clickhouse.rows(
    "SELECT sum(rows) AS n, uniqExact(symbol) AS symbols, count() AS entries FROM market_data_gaps WHERE recorder = 'bounded' AND reason = 'policy'",
  );
  assert.deepEqual(gaps, { n: "200", symbols: "100", entries: "100" });
});

test("rules change while rows are held: they are stored, and the new rules hold from the next row on", async (t) => {
  const { recorder } = await open(t, "changed", { conflate: 1000 });
  const writer = recorder.table("market_data");
  writer.offer(quoteAt(1));
  recorder.change({
    tables: { market_data: { policy: { ...OFF, dedup: "bbo", by: [], news: [], time: "" } } },
  });
  for (const at of [2, 3, 4]) writer.offer(quoteAt(at));
  await recorder.flush();
  assert.deepEqual(await storedBy("changed"), [
    { id: "1", skipped: "0" },
    { id: "2", skipped: "0" },
  ]);
});

test("history is loaded whole, whatever the policy", async (t) => {
  const { recorder } = await open(t, "whole", { dedup: "bbo" });
  for (const at of [1, 2, 3]) recorder.table("market_data").offerWhole(quoteAt(at));
  await recorder.flush();
  assert.equal((await storedBy("whole")).length, 3);
});
