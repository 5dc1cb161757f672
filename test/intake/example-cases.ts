import assert from "node:assert/strict";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { quoteString } from "../../src/clickhouse/quote.js";
import type { IngestReport } from "../../src/intake/ingest.js";

/** How the engine's own CSV reader and plain SQL make the rows that an example's mapping must make. */
export interface ExampleCase {
  readonly example: string;
  readonly table: "market_data" | "orders";
  /** Columns of a table that takes the file as it is. */
  readonly staging: string;
  readonly format: "CSV" | "CSVWithNames";
  /** Expressions over the staging table for the columns of the mapping, for a file of this name. */
  readonly columns: (fileName: string) => Readonly<Record<string, string>>;
}

const ms = (column: string): string => `fromUnixTimestamp64Nano(${column} * 1000000, 'UTC')`;
const BINANCE = {
  ts_local: "fromUnixTimestamp64Nano(local_ts_ns, 'UTC')",
  symbol: "symbol",
  venue: "concat('binance-', market)",
};
const LEVELS: number[] = Array.from({ length: 10 }, (_, i) => i + 1);
const levels = (side: string, type: string): string =>
  `[${LEVELS.map((i) => `${side}_${i}`)}]::Array(${type})`;
const PX = "Decimal(18, 8)";
const QTY = "Decimal(38, 8)";

export const CASES: readonly ExampleCase[] = [
  {
    example: "fx-l1",
    table: "market_data",
    staging: `time Decimal(38, 6), bid ${PX}, ask ${PX}`,
    format: "CSV",
    columns: (fileName) => {
      const [venue, symbol, date] = /^(\w+)-(\w+)-(\d+)/.exec(fileName)!.slice(1) as [string, string, string];
      // The engine's name for five hours behind UTC.
      const zone = venue === "fxcm" ? "Etc/GMT+5" : "UTC";
      const midnight = `toInt64(toUnixTimestamp(toDateTime(toDate('${date.replace(/(....)(..)(..)/, "$1-$2-$3")}'), '${zone}')))`;
      const time = `fromUnixTimestamp64Nano(${midnight} * 1000000000 + toInt64(time * 1000000), 'UTC')`;
      return {
        ts_exchange: time,
        ts_local: time,
        symbol: `'${symbol.toUpperCase()}'`,
        kind: "'quote'",
        bid_px1: "bid",
        ask_px1: "ask",
        venue: `'${venue}'`,
      };
    },
  },
  {
    example: "binance-l1",
    table: "market_data",
    staging: `local_ts_ns Int64, event_ts_ms Int64, tx_ts_ms Int64, market String, symbol String, update_id UInt64,
      bid_px ${PX}, bid_qty ${QTY}, ask_px ${PX}, ask_qty ${QTY}`,
    format: "CSVWithNames",
    columns: () => ({
      ...BINANCE,
      ts_exchange: ms("tx_ts_ms"),
      kind: "'quote'",
      bid_px1: "bid_px",
      bid_sz1: "bid_qty",
      ask_px1: "ask_px",
      ask_sz1: "ask_qty",
      exchange_seq: "update_id",
    }),
  },
  {
    example: "binance-trades",
    table: "market_data",
    staging: `local_ts_ns Int64, event_ts_ms Int64, trade_ts_ms Int64, market String, symbol String, trade_id UInt64,
      px ${PX}, qty ${QTY}, buyer_is_maker UInt8, exec_type String`,
    format: "CSVWithNames",
    columns: () => ({
      ...BINANCE,
      ts_exchange: ms("trade_ts_ms"),
      kind: "'trade'",
      last_px: "px",
      last_qty: "qty",
      last_side: "if(buyer_is_maker = 1, 'sell', 'buy')",
      exchange_seq: "trade_id",
    }),
  },
  {
    example: "binance-book",
    table: "market_data",
    staging: `local_ts_ns Int64, event_ts_ms Int64, tx_ts_ms Int64, market String, symbol String, last_update_id UInt64,
      ${["bid", "ask"].flatMap((side) => LEVELS.map((i) => `${side}_px_${i} ${PX}, ${side}_qty_${i} ${QTY}`))}`,
    format: "CSVWithNames",
    columns: () => ({
      ...BINANCE,
      ts_exchange: ms("tx_ts_ms"),
      kind: "'depth'",
      bid_px1: "bid_px_1",
      bid_sz1: "bid_qty_1",
      ask_px1: "ask_px_1",
      ask_sz1: "ask_qty_1",
      bid_px: levels("bid_px", PX),
      bid_sz: levels("bid_qty", QTY),
      ask_px: levels("ask_px", PX),
      ask_sz: levels("ask_qty", QTY),
      exchange_seq: "last_update_id",
    }),
  },
  {
    example: "bitstamp-orders",
    table: "orders",
    staging: `id UInt64, timestamp Int64, exchange_timestamp Int64, price ${PX}, volume UInt64, action String, direction String`,
    // The header has a dot in a name, so it is skipped and the columns are taken by place.
    format: "CSV",
    columns: () => ({
      ts: ms("timestamp"),
      client_order_id: "toString(id)",
      broker_order_id: "toString(id)",
      strategy: "'bitstamp-feed'",
      symbol: "'BTCUSD'",
      side: "if(direction = 'bid', 'buy', 'sell')",
      qty: `CAST(toDecimal128(volume, 8) / 100000000, '${QTY}')`,
      limit_px: "price",
      order_type: "'limit'",
      status:
        "transform(action, ['created', 'changed', 'deleted'], ['new', 'partially_filled', 'deleted'], '?')",
    }),
  },
];

/** A file as the engine reads it: its decompressed content and its name. */
export interface CaseFile {
  readonly fileName: string;
  readonly content: Buffer;
}

/**
 * Compares what an ingest stored of a case's files with what the engine makes of them: rows, and of each column the
 * number of values, sum, least and greatest, and a digest of all rows. Gives the figures.
 */
export async function sameAsTheEngine(
  clickhouse: ClickHouse,
  { table, staging, format, columns }: ExampleCase,
  files: readonly CaseFile[],
  report: IngestReport,
): Promise<Record<string, string>> {
  const names = Object.keys(columns(files[0]!.fileName));
  await clickhouse.command("DROP TABLE IF EXISTS expected SYNC");
  for (const { fileName, content } of files) {
    await clickhouse.command(
      `CREATE OR REPLACE TABLE staging (${staging}) ENGINE = MergeTree ORDER BY tuple()`,
    );
    await clickhouse.insert({
      sql: `INSERT INTO staging FORMAT ${format}`,
      body: content,
      settings: { input_format_csv_skip_first_lines: format === "CSV" && table === "orders" ? 1 : 0 },
    });
    const select = Object.entries(columns(fileName)).map(([name, expression]) => `${expression} AS ${name}_`);
    const rows = `SELECT ${select} FROM staging`;
    await clickhouse.command(
      `CREATE TABLE IF NOT EXISTS expected ENGINE = MergeTree ORDER BY tuple() AS ${rows} LIMIT 0`,
    );
    await clickhouse.command(`INSERT INTO expected ${rows}`);
  }
  const types = await clickhouse.rows<{ name: string; type: string }>(
    "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'expected'",
  );
  const figures = types.map(({ name, type }) => {
    const sum = type.startsWith("Array")
      ? `sum(arraySum(${name}))`
      : /^(Decimal|U?Int)/.test(type)
        ? `sum(${name})`
        : `sum(cityHash64(${name}))`;
    return `concat(toString(count(${name})), ' ', toString(${sum}), ' ', toString(min(${name})), ' ', toString(max(${name}))) AS ${name.slice(0, -1)}`;
  });
  const digest = `toString(sum(cityHash64(${names.map((name) => `${name}_`)}))) AS digest`;
  const ofRows = async (rows: string): Promise<Record<string, string>> => {
    const [found] = await clickhouse.rows<Record<string, string>>(
      `SELECT toString(count()) AS rows, ${figures}, ${digest} FROM (${rows})`,
    );
    return found!;
  };
  const casts = types.map(({ name, type }) => `CAST(${name.slice(0, -1)}, ${quoteString(type)}) AS ${name}`);
  const sources = report.files.map(({ source }) => `'${source}'`);
  const stored = await ofRows(`SELECT ${casts} FROM ${table} WHERE source IN (${sources})`);
  assert.deepEqual(stored, await ofRows("SELECT * FROM expected"));
  return stored;
}
