import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { startMigratedEngine } from "../support/migrated.js";
import { type SampleRow, storeRows } from "./database.js";

const { clickhouse } = await startMigratedEngine({ after });

const T = "2026-03-02 10:00:";

/** Reports of one fill: id, what it is and what it refers to, quantity, and second unless they all share one. */
type Report = readonly [id: string, type: string, refersTo: string | null, qty: number, second?: number];

/** What stands after the reports, as `id quantity (original, reports)`; each case is a symbol of its own. */
const CASES: Readonly<Record<string, readonly [reports: readonly Report[], standing: readonly string[]]>> = {
  "a fill stands": [[["a", "new", null, 5]], ["a 5 (a, 1)"]],
  "a busted fill is gone": [
    [
      ["a", "new", null, 5],
      ["x", "bust", "a", 5],
    ],
    [],
  ],
  "a bust under the fill's own id takes it back": [
    [
      ["a", "new", null, 5],
      ["a", "bust", null, 5],
    ],
    [],
  ],
  "a bust that names the fill's own id takes it back": [
    [
      ["a", "new", null, 5],
      ["a", "bust", "a", 5],
    ],
    [],
  ],
  "a bust that came before its fill takes it back": [
    [
      ["x", "bust", "a", 5],
      ["a", "new", null, 5],
    ],
    [],
  ],
  "a bust of an unknown fill shows nothing": [[["x", "bust", "a", 5]], []],
  "a corrected fill stands corrected": [
    [
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
    ],
    ["b 4 (a, 2)"],
  ],
  "a correction of a correction stands": [
    [
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
      ["c", "correct", "b", 3],
    ],
    ["c 3 (a, 3)"],
  ],
  "of two corrections of the first fill the later stands": [
    [
      ["a", "new", null, 5],
      ["c", "correct", "a", 3, 2],
      ["b", "correct", "a", 4, 1],
    ],
    ["c 3 (a, 3)"],
  ],
  "of two corrections in one instant the one recorded later stands": [
    [
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
      ["c", "correct", "a", 3],
    ],
    ["c 3 (a, 3)"],
  ],
  "a bust of the first fill takes back its corrections too": [
    [
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
      ["c", "correct", "b", 3],
      ["x", "bust", "a", 5],
    ],
    [],
  ],
  "a bust with an earlier time than the correction still counts": [
    [
      ["a", "new", null, 5, 1],
      ["b", "correct", "a", 4, 3],
      ["x", "bust", "b", 4, 2],
    ],
    [],
  ],
  "a correction whose fill was never recorded stands": [[["b", "correct", "a", 4]], ["b 4 (a, 1)"]],
  "a report that came twice counts once": [
    [
      ["a", "new", null, 5],
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
      ["b", "correct", "a", 4],
    ],
    ["b 4 (a, 4)"],
  ],
  "corrections that name each other spoil nothing else": [
    [
      ["a", "new", null, 5],
      ["p", "correct", "q", 1],
      ["q", "correct", "p", 2],
    ],
    ["a 5 (a, 1)", "p 1 (p, 1)", "q 2 (q, 1)"],
  ],
  "of two corrections in a chain the one further on stands, whichever time it gives": [
    [
      ["k1", "new", null, 5],
      ["k2", "correct", "k1", 6, 3],
      ["k3", "correct", "k2", 8, 2],
    ],
    ["k3 8 (k1, 3)"],
  ],
  "a bust under a correction's own id takes the fill back": [
    [
      ["a", "new", null, 5],
      ["b", "correct", "a", 4],
      ["b", "bust", null, 4],
    ],
    [],
  ],
  "a chain of twenty corrections leads to the first fill": [
    [
      ["c0", "new", null, 1],
      ...Array.from({ length: 20 }, (_, i): Report => [`c${i + 1}`, "correct", `c${i}`, i]),
    ],
    ["c20 19 (c0, 21)"],
  ],
};

const common = { env: "prod", venue: "XV", account_id: "A", side: "buy", fill_px: "1" };

await storeRows(
  clickhouse,
  Object.entries(CASES).flatMap(([symbol, [reports]]) =>
    reports.map(([fill_id, exec_type, corrects_fill_id, fill_qty, second = 0]) => ({
      ...common,
      table: "fills",
      symbol,
      fill_id,
      exec_type,
      corrects_fill_id,
      fill_qty,
      ts_exchange: `${T}0${second}`,
    })),
  ),
);

async function standing(where: string): Promise<string[]> {
  const rows = await clickhouse.rows<{ line: string }>(
    `SELECT format('{} {} ({}, {})', fill_id, toString(fill_qty), original_fill_id, toString(reports)) AS line
     FROM fills_net WHERE ${where} ORDER BY fill_id`,
  );
  return rows.map(({ line }) => line);
}

// Asked once for all cases, none of which may touch another's symbol.
const stands = await clickhouse.rows<{ symbol: string; line: string }>(
  `SELECT symbol, format('{} {} ({}, {})', fill_id, toString(fill_qty), original_fill_id, toString(reports)) AS line
   FROM fills_net ORDER BY symbol, fill_id`,
);

for (const [title, [, expected]] of Object.entries(CASES)) {
  test(`fills_net: ${title}`, () => {
    const lines = stands.filter(({ symbol }) => symbol === title).map(({ line }) => line);
    assert.deepEqual(lines, expected);
  });
}

test("fills_net: one id on two sides, accounts, venues or environments is as many fills, and a bust takes one", async () => {
  const fill = {
    ...common,
    table: "fills",
    recorder: "ids",
    symbol: "ids",
    fill_id: "a",
    fill_qty: 1,
    ts_exchange: `${T}00`,
  };
  const others = [
    { side: "sell" },
    { account_id: null },
    { account_id: "B" },
    { venue: null },
    { env: "paper" },
  ];
  await storeRows(clickhouse, [fill, ...others.map((other) => ({ ...fill, ...other }))]);
  assert.equal((await standing("symbol = 'ids'")).length, 6);
  await storeRows(clickhouse, [
    { ...fill, account_id: null, fill_id: "x", exec_type: "bust", corrects_fill_id: "a", recorder: "bust" },
  ]);
  assert.equal((await standing("symbol = 'ids'")).length, 5);
  assert.deepEqual(await standing("symbol = 'ids' AND account_id IS NULL"), []);
});

/** What a fill's later reports leave out or change, and what stands then, as `id quantity side venue account strategy`. */
const SPARSE: Readonly<
  Record<string, readonly [reports: readonly SampleRow[], standing: readonly string[]]>
> = {
  "a bust without a venue takes the fill back": [
    [{ fill_id: "f1" }, { fill_id: "x", exec_type: "bust", corrects_fill_id: "f1", venue: null }],
    [],
  ],
  "a bust under the fill's own id without a venue takes it back": [
    [{ fill_id: "f1" }, { fill_id: "f1", exec_type: "bust", venue: null }],
    [],
  ],
  "a bust with a venue takes back a fill without one": [
    [
      { fill_id: "f1", venue: null },
      { fill_id: "x", exec_type: "bust", corrects_fill_id: "f1" },
    ],
    [],
  ],
  "a correction without account, strategy and order keeps the fill's": [
    [
      { fill_id: "g1", fill_qty: 7 },
      {
        fill_id: "g2",
        fill_qty: 6,
        exec_type: "correct",
        corrects_fill_id: "g1",
        account_id: null,
        strategy: null,
      },
    ],
    ["g2 6 buy XV A mm"],
  ],
  "corrections without account and venue lead through each other to the fill": [
    [
      { fill_id: "g1" },
      { fill_id: "g2", fill_qty: 6, exec_type: "correct", corrects_fill_id: "g1", account_id: null },
      { fill_id: "g3", fill_qty: 8, exec_type: "correct", corrects_fill_id: "g2", venue: null },
    ],
    ["g3 8 buy XV A mm"],
  ],
  "a correction of the side replaces the fill": [
    [
      { fill_id: "h1", side: "sell" },
      { fill_id: "h2", side: "sell_short", exec_type: "correct", corrects_fill_id: "h1" },
    ],
    ["h2 1 sell_short XV A mm"],
  ],
  "a bust without a venue leaves another account's fill of the same id": [
    [
      { fill_id: "i", account_id: "B" },
      { fill_id: "i" },
      { fill_id: "x", exec_type: "bust", corrects_fill_id: "i", venue: null },
    ],
    ["i 1 buy XV B mm"],
  ],
  "a bust of one side leaves the other side's fill of the same id": [
    [
      { fill_id: "i", side: "sell" },
      { fill_id: "i" },
      { fill_id: "x", exec_type: "bust", corrects_fill_id: "i", side: "sell" },
    ],
    ["i 1 buy XV A mm"],
  ],
};

await storeRows(
  clickhouse,
  Object.entries(SPARSE).flatMap(([symbol, [reports]]) =>
    reports.map((report) => ({
      ...common,
      table: "fills",
      symbol,
      strategy: "mm",
      fill_qty: 1,
      ts_exchange: `${T}00`,
      ...report,
    })),
  ),
);
const sparse = await clickhouse.rows<{ symbol: string; line: string }>(
  `SELECT symbol, concatWithSeparator(' ', fill_id, toString(fill_qty), side, venue, account_id, strategy) AS line
   FROM fills_net`,
);

for (const [title, [, expected]] of Object.entries(SPARSE)) {
  test(`fills_net: ${title}`, () => {
    const lines = sparse.filter(({ symbol }) => symbol === title).map(({ line }) => line);
    assert.deepEqual(lines, expected);
  });
}

test("orders_latest: of steps in one instant the one recorded last counts, whole, with its NULLs", async () => {
  const order = { table: "orders", strategy: "s", symbol: "X", side: "buy", qty: 10, client_order_id: "o" };
  await storeRows(clickhouse, [
    { ...order, ts: `${T}01`, status: "new", limit_px: "1", reject_reason: "first" },
    { ...order, ts: `${T}02`, status: "partially_filled", filled_qty: 4, limit_px: "1" },
    { ...order, ts: `${T}02`, status: "filled", filled_qty: 10 },
    { ...order, ts: `${T}01.5`, status: "late in coming" },
    { ...order, ts: `${T}03`, status: "of another environment", env: "paper" },
    { ...order, ts: `${T}03`, status: "of another symbol", symbol: "Y" },
  ]);
  const rows = await clickhouse.rows(
    "SELECT env, symbol, status, filled_qty, limit_px, reject_reason FROM orders_latest WHERE client_order_id = 'o' ORDER BY env, symbol",
  );
  const none = { filled_qty: null, limit_px: null, reject_reason: null };
  assert.deepEqual(rows, [
    { ...none, env: "paper", symbol: "X", status: "of another environment" },
    { ...none, env: "prod", symbol: "X", status: "filled", filled_qty: "10" },
    { ...none, env: "prod", symbol: "Y", status: "of another symbol" },
  ]);
});

test("positions_latest: a flat position shows no price of its past; strategies are apart, no strategy too", async () => {
  const position = { table: "positions_intraday", account_id: "A", symbol: "X", strategy: "s" };
  await storeRows(clickhouse, [
    { ...position, ts: `${T}01`, position_qty: 5, avg_px: "1.5" },
    { ...position, ts: `${T}02`, position_qty: 3, avg_px: "1.5" },
    { ...position, ts: `${T}02`, position_qty: 0 },
    { ...position, ts: `${T}01`, position_qty: 7, avg_px: "2", strategy: null },
  ]);
  const rows = await clickhouse.rows(
    "SELECT strategy, ts, position_qty, avg_px FROM positions_latest ORDER BY strategy NULLS LAST",
  );
  assert.deepEqual(rows, [
    { strategy: "s", ts: "2026-03-02T10:00:02.000000000Z", position_qty: "0", avg_px: null },
    { strategy: null, ts: "2026-03-02T10:00:01.000000000Z", position_qty: "7", avg_px: "2" },
  ]);
});

test("market_data_gaps: rows left out count from the row before, by symbol, kind and run, from midnight on each day", async () => {
  const quote = { table: "market_data", symbol: "X", kind: "quote" };
  const at = (time: string): object => ({ ts_exchange: time, ts_local: time });
  await storeRows(clickhouse, [
    { ...quote, ...at(`${T}01`) },
    { ...quote, ...at(`${T}02`), symbol: "Y" },
    { ...quote, ...at(`${T}03`), kind: "trade" },
    { ...quote, ...at(`${T}04`), skipped: 2 },
    { ...quote, ...at("2026-03-03 00:00:05"), skipped: 9 },
    { ...quote, ...at(`${T}05`), run: 2, seq: 0, skipped: 1 },
  ]);
  const gap = { symbol: "X", kind: "quote", reason: "policy" };
  assert.deepEqual(
    await clickhouse.rows(
      "SELECT symbol, kind, toString(from_ts) AS a, toString(to_ts) AS b, rows, reason FROM market_data_gaps ORDER BY to_ts",
    ),
    [
      { ...gap, a: `${T}01.000000000`, b: `${T}04.000000000`, rows: "2" },
      { ...gap, a: "2026-03-02 00:00:00.000000000", b: `${T}05.000000000`, rows: "1" },
      { ...gap, a: "2026-03-03 00:00:00.000000000", b: "2026-03-03 00:00:05.000000000", rows: "9" },
    ],
  );
});

test("market_data_gaps: what the recorder noted shows with what is known of it", async () => {
  await clickhouse.command("TRUNCATE TABLE market_data");
  const event = { table: "system_events", kind: "data_gap", ts: `${T}09` };
  const market = { table: "market_data", reason: "overload" };
  await storeRows(clickhouse, [
    {
      ...event,
      attributes: { ...market, symbol: "X", kind: "trade" },
      from_ts: `${T}01`,
      to_ts: `${T}02`,
      rows: 3,
    },
    { ...event, attributes: { table: "market_data" } },
    { ...event, attributes: { table: "fills" }, rows: 5 },
    { ...event, kind: "link", attributes: market },
  ]);
  assert.deepEqual(
    await clickhouse.rows(
      "SELECT symbol, kind, toString(from_ts) AS a, toString(to_ts) AS b, rows, reason FROM market_data_gaps ORDER BY to_ts",
    ),
    [
      {
        symbol: "X",
        kind: "trade",
        a: `${T}01.000000000`,
        b: `${T}02.000000000`,
        rows: "3",
        reason: "overload",
      },
      { symbol: "", kind: "", a: null, b: `${T}09.000000000`, rows: null, reason: "" },
    ],
  );
});

test("market_data_gaps: a gap that names its series has a row for each and one for the rest; what skipped tells is not shown twice", async () => {
  await clickhouse.command("TRUNCATE TABLE system_events");
  const event = {
    table: "system_events",
    kind: "data_gap",
    ts: `${T}09`,
    from_ts: `${T}01`,
    to_ts: `${T}02`,
    rows: 9,
  };
  const missing = '[{"symbol":"X \\"1\\"","kind":"quote","rows":4},{"symbol":"Y","kind":"depth","rows":3}]';
  const market = { table: "market_data", missing, others: "2" };
  await storeRows(clickhouse, [
    { ...event, attributes: { ...market, reason: "queue_full" } },
    { ...event, attributes: { ...market, reason: "sampled" } },
    { ...event, attributes: { ...market, reason: "deduplicated" } },
  ]);
  const gap = { reason: "queue_full", a: `${T}01.000000000`, b: `${T}02.000000000` };
  assert.deepEqual(
    await clickhouse.rows(
      "SELECT symbol, kind, toString(from_ts) AS a, toString(to_ts) AS b, rows, reason FROM market_data_gaps ORDER BY rows DESC",
    ),
    [
      { symbol: 'X "1"', kind: "quote", rows: "4", ...gap },
      { symbol: "Y", kind: "depth", rows: "3", ...gap },
      { symbol: "", kind: "", rows: "2", ...gap },
    ],
  );
});

/** The one SQL statement of a guide. */
async function statementOf(guide: string): Promise<string> {
  const text = await readFile(`docs/guides/${guide}.md`, "utf8");
  const found = [...text.matchAll(/```sql\n(.*?)```/gs)];
  assert.equal(found.length, 1, guide);
  return found[0]![1]!;
}

test("the statements of the guides show the thin stretches of a symbol's day, and the levels of the last one", async () => {
  await clickhouse.command("TRUNCATE TABLE system_events");
  const at = { ts: `${T}09`, from_ts: `${T}01`, to_ts: `${T}02` };
  const gap = { table: "system_events", kind: "data_gap", ...at };
  const missing =
    '[{"symbol":"BTCUSDT","kind":"quote","rows":4},{"symbol":"ETHUSDT","kind":"quote","rows":3}]';
  const level = { table: "market_data", from: "0", to: "1", step: "dedup", cause: "ring", forced: "false" };
  await storeRows(clickhouse, [
    { ...gap, rows: 7, attributes: { table: "market_data", reason: "queue_full", missing } },
    { ...gap, rows: 5, to_ts: `${T}03`, attributes: { table: "market_data", reason: "ring_full" } },
    {
      ...gap,
      rows: 6,
      to_ts: "2026-03-03 10:00:00",
      attributes: { table: "market_data", reason: "ring_full" },
    },
    { table: "system_events", kind: "level", ts: new Date().toISOString().slice(0, -1), attributes: level },
  ]);
  const thin = await clickhouse.rows<{ kind: string; rows: string; reason: string }>(
    await statementOf("gaps"),
  );
  assert.deepEqual(
    thin.map(({ kind, rows, reason }) => [kind, rows, reason]),
    [
      ["quote", "4", "queue_full"],
      ["", "5", "ring_full"],
    ],
  );
  const [step, ...others] = await clickhouse.rows<{ ts: string }>(await statementOf("overload"));
  assert.deepEqual([{ ...step, ts: "" }, others], [{ ...level, table: "market_data", ts: "" }, []]);
});

/** Granules that each read of a table in the query's plan has left to do. */
async function granulesOf(sql: string): Promise<number[]> {
  const lines = await clickhouse.rows<{ explain: string }>(
    `SELECT explain FROM (EXPLAIN indexes = 1 ${sql})`,
  );
  return lines.flatMap(({ explain }) => /Parts: \d+ \| Granules: (\d+)/.exec(explain)?.[1] ?? []).map(Number);
}

test("a symbol and a day named in WHERE spare the views the rest", async () => {
  await clickhouse.command("TRUNCATE TABLE market_data");
  await clickhouse.command(
    `INSERT INTO market_data (ts_exchange, ts_local, symbol, kind, env, recorder, run, seq)
     SELECT toDateTime64('2026-03-02 12:00:00', 9, 'UTC') + INTERVAL number SECOND AS ts, ts, concat('S', toString(number % 8)),
       'quote', 'prod', 'r', 1, number FROM numbers(200000)`,
  );
  const gaps = await granulesOf("SELECT * FROM market_data_gaps WHERE day = '2026-03-02' AND symbol = 'S3'");
  const day = await granulesOf("SELECT symbol FROM market_data WHERE toDate(ts_exchange) = '2026-03-02'");
  assert.ok(gaps[0]! < day[0]!, `${gaps} of ${day}`);
  await clickhouse.command(
    `INSERT INTO fills (ts_exchange, fill_id, symbol, side, fill_qty, fill_px, env, recorder, run, seq)
     SELECT toDateTime64('2026-03-02 12:00:00', 9, 'UTC') + INTERVAL number SECOND, toString(number), concat('S', toString(number % 8)),
       'buy', 1, 1, 'prod', 'r', 1, number FROM numbers(200000)`,
  );
  const [all] = await granulesOf("SELECT symbol FROM fills");
  const reads = await granulesOf("SELECT * FROM fills_net WHERE symbol = 'S3'");
  assert.ok(reads.length > 0 && reads.every((granules) => granules < all! / 4), `${reads} of ${all}`);
});
