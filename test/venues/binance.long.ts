import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse } from "../../src/index.js";
import { type BinanceOptions, binance, readCapture, replay, VenueFeed } from "../../src/venues/index.js";
import { CASES } from "../intake/example-cases.js";
import { temporaryFolder } from "../support/folder.js";

/** Recordings of live markets that are not part of the repository; COLDPATH_TEST_DATA says where they are. */
const DATA = process.env["COLDPATH_TEST_DATA"] ?? join("..", "shared", "data");
const skip = existsSync(DATA) ? false : `there are no recordings at ${DATA}`;

const CAPTURES = [
  ["usdm-btcusdt-20240808", { market: "usdm", symbol: "BTCUSDT" }],
  ["usdm-ethusdt-20240808", { market: "usdm", symbol: "ETHUSDT" }],
  ["coinm-btcusd_perp-20240808", { market: "coinm" }],
] as const;
const TABLES = [
  ["binance-l1", "l1-quotes", 139_217],
  ["binance-trades", "trades", 37_675],
  ["binance-book", "book-top10", 24_885],
] as const;
const ROWS = 201_777;
const ETHUSDT_ROWS = 53_992 + 14_076 + 6149;

interface Place {
  readonly data_dir: string;
  ask<T>(question: (clickhouse: ClickHouse) => Promise<T>): Promise<T>;
}

async function openPlace(t: TestContext): Promise<Place> {
  const data_dir = await temporaryFolder(t);
  const { config } = loadConfig({ env: {}, cwd: data_dir, values: { data_dir } });
  return {
    data_dir,
    ask: async (question) => {
      const opened = await openClickHouse(config);
      try {
        return await question(opened.clickhouse);
      } finally {
        await opened.close();
      }
    },
  };
}

interface Recording {
  readonly id: string;
  readonly captures: readonly (readonly [string, BinanceOptions])[];
  readonly rows: number;
  readonly policy: { readonly dedup: "none" | "bbo"; readonly depth: number };
}

/** Captures through a recorder, as fast as it takes them. */
async function record(t: TestContext, { data_dir }: Place, { id, captures, rows, policy }: Recording) {
  const recorder = await createRecorder({
    config: {
      data_dir,
      recorder: { id },
      // Flat out, and every row counted: a full ring makes the replay wait.
      ring: { on_full: "refuse" },
      tables: { market_data: { class: "critical", policy } },
    },
  });
  t.after(() => recorder.close({ deadline: 0 }));
  const sources = captures.map(([name, options]) => ({
    feed: new VenueFeed({ adapter: binance(options), depth: 10 }),
    messages: readCapture(join(DATA, "binance-raw-ws", `${name}.txt.gz`)),
  }));
  const told = await replay(sources, recorder.events.record, { speed: Number.POSITIVE_INFINITY });
  await recorder.flush();
  const { tables } = await recorder.close();
  t.diagnostic(
    `${told.messages} messages, ${told.events} events in ${told.seconds.toFixed(1)} s, ${told.waits} waits`,
  );
  for (const { feed } of sources) {
    const { broken, unknown, gaps, stale, crossed } = feed.counts;
    assert.deepEqual(
      { broken, unknown, gaps, stale, crossed },
      { broken: {}, unknown: 0, gaps: 0, stale: 0, crossed: 0 },
    );
  }
  assert.equal(told.events, rows);
  const counts = tables["market_data"]!;
  assert.deepEqual(
    [counts.offered, counts.pending.rows, counts.dropped, counts.deadLettered],
    [rows, 0, {}, 0],
  );
  return counts;
}

test("Binance captures replayed through the recorder are stored as the prepared tables say, row for row", {
  skip,
}, async (t) => {
  const place = await openPlace(t);
  const policy = { dedup: "none", depth: 10 } as const;
  await record(t, place, { id: "full", captures: CAPTURES, rows: ROWS, policy });
  await place.ask(async (clickhouse) => {
    for (const [example, file, rows] of TABLES) {
      const { staging, columns } = CASES.find((each) => each.example === example)!;
      await clickhouse.command(
        `CREATE TABLE ${example.replace("-", "_")} (${staging}) ENGINE = MergeTree ORDER BY tuple()`,
      );
      await clickhouse.insert({
        sql: `INSERT INTO ${example.replace("-", "_")} FORMAT CSVWithNames`,
        body: readFileSync(join(DATA, "binance-tables", `${file}.csv.gz`)),
        encoding: "gzip",
      });
      const { kind, ...values } = columns("");
      const stored = `SELECT ${Object.keys(values)} FROM market_data WHERE kind = ${kind}`;
      const prepared = `SELECT ${Object.entries(values).map(([name, value]) => `${value} AS ${name}`)} FROM ${example.replace("-", "_")}`;
      const [counted] = await clickhouse.rows(
        `SELECT (SELECT count() FROM (${stored})) AS stored, (SELECT count() FROM (SELECT DISTINCT * FROM (${stored}))) AS distinct_rows,
                (SELECT count() FROM (${stored} EXCEPT ${prepared})) AS only_stored,
                (SELECT count() FROM (${prepared} EXCEPT ${stored})) AS only_prepared`,
      );
      assert.deepEqual(counted, {
        stored: `${rows}`,
        distinct_rows: `${rows}`,
        only_stored: "0",
        only_prepared: "0",
      });
      t.diagnostic(`${file}: ${rows} rows equal, both ways`);
    }
  });
});

/** What plain SQL keeps of the full recording, as the symbol, kind and number of each row and the rows left out before it. */
const NEWS = `
  WITH numbered AS (
    SELECT symbol, kind, exchange_seq, seq, row_number() OVER w AS n,
           toString((bid_px1, bid_sz1, ask_px1, ask_sz1, bid_px, bid_sz, ask_px, ask_sz)) AS said,
           lagInFrame(said, 1, '') OVER w AS said_before
    FROM market_data WHERE recorder = 'full'
    WINDOW w AS (PARTITION BY symbol, kind ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))
  SELECT symbol, kind, exchange_seq,
         toInt64(n) - lagInFrame(toInt64(n), 1, 0) OVER (PARTITION BY symbol, kind ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) - 1 AS skipped
  FROM numbered WHERE kind = 'trade' OR said != said_before`;
const KEPT = `SELECT symbol, kind, exchange_seq, toInt64(skipped) AS skipped FROM market_data WHERE recorder = 'thin'`;

test("with dedup the rows kept are those that lagInFrame finds in the full recording, and skipped adds up", {
  skip,
}, async (t) => {
  const place = await openPlace(t);
  // Binance repeats no quote. Of two connections to one market the second does, and of a depth of five levels what lies below.
  const captures = [...CAPTURES, CAPTURES[1]];
  const all = { captures, rows: ROWS + ETHUSDT_ROWS };
  await record(t, place, { ...all, id: "full", policy: { dedup: "none", depth: 5 } });
  const thin = await record(t, place, { ...all, id: "thin", policy: { dedup: "bbo", depth: 5 } });
  const { stored, deduplicated } = thin;
  assert.equal(stored + deduplicated, all.rows);
  assert.ok(deduplicated > 0);
  await place.ask(async (clickhouse) => {
    const [counted] = await clickhouse.rows(
      `SELECT (SELECT count() FROM (${KEPT})) AS kept, (SELECT count() FROM (${NEWS})) AS news,
              (SELECT count() FROM (${KEPT} EXCEPT ${NEWS})) AS only_kept, (SELECT count() FROM (${NEWS} EXCEPT ${KEPT})) AS only_news,
              (SELECT sum(skipped) FROM (${KEPT})) +
              (SELECT ifNull(sum(rows), 0) FROM system_events WHERE recorder = 'thin' AND kind = 'data_gap') AS told`,
    );
    const [kept, left] = [`${stored}`, `${deduplicated}`];
    assert.deepEqual(counted, { kept, news: kept, only_kept: "0", only_news: "0", told: left });
    const rows = await clickhouse.rows<Record<string, string>>(
      `SELECT symbol, kind, count() AS n, sum(skipped) AS left_out FROM market_data WHERE recorder = 'thin' GROUP BY ALL ORDER BY ALL`,
    );
    for (const row of rows) t.diagnostic(JSON.stringify(row));
  });
});
