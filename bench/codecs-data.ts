import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouse } from "../src/clickhouse/client.js";
import { RAW_TABLES, SAMPLES } from "./codecs-sample.js";
import { STAGES, type Stage } from "./codecs-stages.js";

/** Rows in the shape and order of a table of ours, waiting in memory. */
export interface DataSet extends Stage {
  readonly rows: number;
}

/** One statement at a time and in the order of the source: two threads would shuffle the rows. */
export const IN_ORDER = { max_threads: 1, max_insert_threads: 1, input_format_parallel_parsing: 0 } as const;

/** Loads the recorded files of a folder, or rows made up in their shape if there is no such folder. */
export async function loadDataSets(clickhouse: ClickHouse, folder: string | undefined): Promise<DataSet[]> {
  for (const [name, columns] of Object.entries(RAW_TABLES)) {
    await clickhouse.command(`CREATE TABLE ${name} (${columns}) ENGINE = Memory`);
  }
  if (folder === undefined) {
    for (const [table, select] of Object.entries(SAMPLES)) {
      await clickhouse.command(`INSERT INTO ${table} ${select}`, { settings: IN_ORDER });
    }
  } else {
    await loadFiles(clickhouse, folder);
  }
  const sets: DataSet[] = [];
  for (const stage of STAGES) {
    await clickhouse.command(`CREATE TABLE ${stage.name} AS ${stage.table} ENGINE = Memory`);
    await clickhouse.command(`INSERT INTO ${stage.name} ${stage.select}`, { settings: IN_ORDER });
    const rows = Number(await clickhouse.text(`SELECT count() FROM ${stage.name} FORMAT TSV`));
    if (rows === 0) throw new Error(`no rows for ${stage.title}`);
    sets.push({ ...stage, rows });
  }
  for (const name of Object.keys(RAW_TABLES)) await clickhouse.command(`DROP TABLE ${name}`);
  return sets;
}

/** The folder if it has the recorded files. */
export function recordedData(folder: string): string | undefined {
  const parts = ["fx-l1", "binance-tables", "order-events"];
  return parts.every((part) => existsSync(join(folder, part))) ? folder : undefined;
}

async function loadFiles(clickhouse: ClickHouse, folder: string): Promise<void> {
  for (const file of readdirSync(join(folder, "fx-l1")).sort()) {
    await insertFile(clickhouse, "raw_fx_file", 0, join(folder, "fx-l1", file));
    const [venue, symbol, day] = file.split(/[-.]/);
    await clickhouse.command(
      `INSERT INTO raw_fx SELECT '${file}', '${venue}', upper('${symbol}'), rowNumberInAllBlocks() + 1,
         toUnixTimestamp(toDateTime('${day}', 'UTC')) * 1000000000 + toInt64(ms * 1000000) + if('${venue}' = 'fxcm', 5 * 3600 * 1000000000, 0),
         bid, ask
       FROM raw_fx_file`,
      { settings: IN_ORDER },
    );
    await clickhouse.command("TRUNCATE TABLE raw_fx_file");
  }
  const binance = join(folder, "binance-tables");
  await insertFile(clickhouse, "raw_quotes", 1, join(binance, "l1-quotes.csv.gz"));
  await insertFile(clickhouse, "raw_trades", 1, join(binance, "trades.csv.gz"));
  await insertFile(clickhouse, "raw_book", 1, join(binance, "book-top10.csv.gz"));
  const orders = join(folder, "order-events", "bitstamp-btcusd-20150501-orders.csv.gz");
  await insertFile(clickhouse, "raw_orders", 1, orders);
}

/** Columns by place: the files' own names for them are other than ours. */
async function insertFile(
  clickhouse: ClickHouse,
  table: string,
  headerLines: number,
  file: string,
): Promise<void> {
  await clickhouse.insert({
    sql: `INSERT INTO ${table} FORMAT CSV`,
    body: createReadStream(file),
    encoding: "gzip",
    settings: { ...IN_ORDER, input_format_csv_skip_first_lines: headerLines },
  });
}
