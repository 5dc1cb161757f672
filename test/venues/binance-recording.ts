import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse } from "../../src/index.js";
import { type BinanceOptions, binance, readCapture, replay, VenueFeed } from "../../src/venues/index.js";
import { temporaryFolder } from "../support/folder.js";

/** Recordings of live markets that are not part of the repository; COLDPATH_TEST_DATA says where they are. */
export const DATA = process.env["COLDPATH_TEST_DATA"] ?? join("..", "shared", "data");
export const skip: string | false = existsSync(DATA) ? false : `there are no recordings at ${DATA}`;

export const CAPTURES: readonly (readonly [string, BinanceOptions])[] = [
  ["usdm-btcusdt-20240808", { market: "usdm", symbol: "BTCUSDT" }],
  ["usdm-ethusdt-20240808", { market: "usdm", symbol: "ETHUSDT" }],
  ["coinm-btcusd_perp-20240808", { market: "coinm" }],
];
/** Rows of all captures, and of the second alone. */
export const ROWS = 201_777;
export const ETHUSDT_ROWS = 53_992 + 14_076 + 6149;

/** A folder, and what plain SQL says of the rows in it. */
export interface Place {
  readonly data_dir: string;
  ask<T>(question: (clickhouse: ClickHouse) => Promise<T>): Promise<T>;
}

export async function openPlace(t: TestContext): Promise<Place> {
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

export interface Recording {
  readonly id: string;
  readonly captures: readonly (readonly [string, BinanceOptions])[];
  readonly rows: number;
  readonly policy: { readonly dedup: "none" | "bbo"; readonly depth: number };
}

/** Captures through a recorder, as fast as it takes them. */
export async function record(t: TestContext, { data_dir }: Place, { id, captures, rows, policy }: Recording) {
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
