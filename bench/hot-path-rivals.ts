import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { Sender } from "@questdb/nodejs-client";
import { pino } from "pino";
import { INSTANT_BASE } from "../src/native/instant-number.js";
import { CALLS } from "./hot-path-calls.js";
import { withRecorder } from "./hot-path-recorder.js";
import { type Service, timeCalls } from "./hot-path-service.js";

/** Inserts of one row each are thousands of times slower: so few that they end in time. */
const INSERT_ROWS = 300;
const INSERT_ROUNDS = 3;
const ROUND_ROWS = 10_000;
const ROUNDS = 5;

interface Quote {
  readonly ts_exchange: number;
  readonly symbol: string;
  readonly kind: string;
  readonly venue: string;
  readonly bid_px1: number;
  readonly bid_sz1: number;
  readonly ask_px1: number;
  readonly ask_sz1: number;
  readonly exchange_seq: number;
}

/** What a trading program might do with the same L1 quote instead, timed as the recorder is. */
export function measureRivals(): Promise<Service[]> {
  return withRecorder(async ({ engine }) => {
    const folder = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
    const lines: string[] = [];
    const file = pino.destination({ dest: join(folder, "pino.log"), sync: false, minLength: 4096 });
    const logger = pino(file);
    const sender = await Sender.fromConfig(
      "http::addr=127.0.0.1:9;protocol_version=2;auto_flush=off;init_buf_size=8388608",
    );
    const client = createClient({
      url: engine.url,
      username: engine.user,
      password: engine.password,
      database: "coldpath",
    });
    const inserts: Promise<unknown>[] = [];
    const common = { literal: CALLS.quote.literal, rounds: ROUNDS, rows: ROUND_ROWS };
    try {
      return [
        ...(await timeCalls({
          ...common,
          call: "JSON.stringify, array push",
          take: (row) => lines.push(JSON.stringify(row)),
          rates: [25_000, 0],
          settle: async () => lines.splice(0),
        })),
        ...(await timeCalls({
          ...common,
          call: "pino to a file",
          take: (row) => logger.info(row),
          rates: [25_000, 0],
          settle: () => new Promise((resolve) => file.flush(resolve)),
        })),
        ...(await timeCalls({
          ...common,
          call: "@questdb/nodejs-client, row into its buffer",
          take: (row) => appendTo(sender, row as unknown as Quote),
          rates: [25_000, 0],
          settle: async () => sender.reset(),
        })),
        ...(await timeCalls({
          ...common,
          call: "@clickhouse/client, insert of one row",
          take: (row) =>
            inserts.push(
              client.insert({ table: "market_data", values: [plainOf(row)], format: "JSONEachRow" }),
            ),
          rows: INSERT_ROWS,
          rounds: INSERT_ROUNDS,
          rates: [25_000],
          settle: () => Promise.allSettled(inserts.splice(0)),
        })),
      ];
    } finally {
      await client.close();
      await sender.close();
      file.end();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function appendTo(sender: Sender, row: Quote): Promise<void> {
  return sender
    .table("market_data")
    .symbol("symbol", row.symbol)
    .symbol("kind", row.kind)
    .symbol("venue", row.venue)
    .floatColumn("bid_px1", row.bid_px1)
    .floatColumn("bid_sz1", row.bid_sz1)
    .floatColumn("ask_px1", row.ask_px1)
    .floatColumn("ask_sz1", row.ask_sz1)
    .intColumn("exchange_seq", row.exchange_seq)
    .at(row.ts_exchange - INSTANT_BASE, "us");
}

/** Times as ClickHouse reads them. */
function plainOf(row: Record<string, unknown>): Record<string, unknown> {
  const ticks = (value: unknown): string => `${(value as number) - INSTANT_BASE}000`;
  return { ...row, ts_exchange: ticks(row["ts_exchange"]), ts_local: ticks(row["ts_local"]) };
}
