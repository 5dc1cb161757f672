import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClickHouse } from "../src/clickhouse/client.js";
import { Engine } from "../src/engine/engine.js";

/** Rows of `ticks`, the table that the engine's benchmark reads. */
export const TICKS = 10_000_000;

const CREATE = `CREATE TABLE ticks
(
    symbol LowCardinality(String),
    ts     DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    bid_px Decimal(18, 8) CODEC(T64, ZSTD(1)),
    bid_sz Decimal(18, 8) CODEC(T64, ZSTD(1)),
    ask_px Decimal(18, 8) CODEC(T64, ZSTD(1)),
    ask_sz Decimal(18, 8) CODEC(T64, ZSTD(1)),
    venue  LowCardinality(String),
    seq    UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree ORDER BY (symbol, ts)`;

/** One day, six symbols in turn, prices and sizes by hash: the same rows at every run. */
const FILL = `INSERT INTO ticks SELECT
    ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'EURUSD', 'XAUUSD', 'NZDUSD'][1 + number % 6],
    fromUnixTimestamp64Nano(1723118400000000000 + toInt64(number) * 8640000, 'UTC'),
    toDecimal64(61800 + cityHash64(number) % 10000 / 100, 8),
    toDecimal64(cityHash64(number, 1) % 100000 / 1000, 8),
    toDecimal64(61800 + (cityHash64(number) % 10000 + 1) / 100, 8),
    toDecimal64(cityHash64(number, 2) % 100000 / 1000, 8),
    'BENCH',
    number
FROM numbers(${TICKS})`;

/** A data folder whose engine holds `ticks` in its default database. */
export class TicksFolder {
  readonly root: string = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
  readonly dataDir: string = join(this.root, "clickhouse");

  static async create(): Promise<TicksFolder> {
    const folder = new TicksFolder();
    await folder.with(async (_engine, clickhouse) => {
      await clickhouse.command(CREATE);
      await clickhouse.command(FILL);
      // Nothing is left to merge while something else is measured.
      await clickhouse.command("OPTIMIZE TABLE ticks FINAL");
    });
    return folder;
  }

  /** Starts the engine on the folder for as long as `work` takes. */
  async with<T>(work: (engine: Engine, clickhouse: ClickHouse) => Promise<T>): Promise<T> {
    const engine = await Engine.start({ dataDir: this.dataDir });
    const { url, user, password } = engine;
    const clickhouse = new ClickHouse({ url, user, password, database: "default" });
    try {
      return await work(engine, clickhouse);
    } finally {
      await clickhouse.close();
      await engine.close();
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
