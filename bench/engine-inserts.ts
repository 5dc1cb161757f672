import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { sentColumns } from "../src/buffer/stamp.js";
import { ClickHouse } from "../src/clickhouse/client.js";
import type { Engine } from "../src/engine/engine.js";
import { OWNER_READS_AT_ONCE, READER_READS_AT_ONCE } from "../src/engine/executor.js";
import { BlockBuilder } from "../src/native/block.js";
import { readTable } from "../src/schemas/introspect.js";
import { migrate } from "../src/schemas/migrate.js";
import { readInsertSettings } from "../src/sink/insert-settings.js";
import type { ReaderOrder, ReaderReport } from "./engine-readers.js";
import type { TicksFolder } from "./engine-ticks.js";
import { quantile } from "./measure.js";
import type { Table } from "./report.js";
import { quoteRows } from "./rows.js";

const BATCHES = [2_000, 50_000];
const READERS = [
  { readers: 0, withPassword: false },
  { readers: 4, withPassword: false },
  { readers: 16, withPassword: false },
  { readers: 4, withPassword: true },
  { readers: 16, withPassword: true },
];
const ROUNDS = 2;
const CELL_MS = 2_500;
/** Readers run before the first insert beside them is timed. */
const SETTLE_MS = 500;

export interface InsertFigures {
  readonly batchRows: number;
  readonly readers: number;
  readonly withPassword: boolean;
  readonly insertMs: number[];
  /** Statements that the readers got answered by the second, over all rounds. */
  readonly readsPerSecond: number[];
}

/** One insert after the other, as the recorder sends them, beside readers in a process of their own. */
export async function measureInserts(ticks: TicksFolder): Promise<InsertFigures[]> {
  const figures = READERS.flatMap((cell) =>
    BATCHES.map((batchRows): InsertFigures => ({ batchRows, ...cell, insertMs: [], readsPerSecond: [] })),
  );
  await ticks.with(async (engine) => {
    const { url, user, password } = engine;
    const clickhouse = new ClickHouse({ url, user, password, database: "coldpath" });
    await migrate(clickhouse);
    const inserts = await Promise.all(BATCHES.map((rows) => inserter(clickhouse, rows)));
    for (let round = 1; round <= ROUNDS; round++) {
      for (const figure of figures) {
        console.error(`round ${round} of ${ROUNDS}: ${nameOf(figure)}`);
        await clickhouse.command("TRUNCATE TABLE market_data");
        await measureCell(engine, figure, inserts[BATCHES.indexOf(figure.batchRows)]!);
      }
    }
    await clickhouse.close();
  });
  return figures;
}

async function measureCell(
  engine: Engine,
  figure: InsertFigures,
  insert: () => Promise<void>,
): Promise<void> {
  const { readers, withPassword } = figure;
  const program = fork(new URL("./engine-readers.js", import.meta.url), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const order: ReaderOrder = {
    url: engine.url,
    password: withPassword ? engine.password : undefined,
    readers,
  };
  program.send(order);
  await delay(SETTLE_MS);
  await insert();
  const end = performance.now() + CELL_MS;
  while (performance.now() < end) {
    const start = performance.now();
    await insert();
    figure.insertMs.push(performance.now() - start);
  }
  program.send("stop");
  const [report] = (await once(program, "message")) as [ReaderReport];
  figure.readsPerSecond.push(report.statements / report.seconds);
  await once(program, "exit");
}

/** A function that inserts the same rows under a new token at each call. */
async function inserter(clickhouse: ClickHouse, rows: number): Promise<() => Promise<void>> {
  const columns = sentColumns(await readTable(clickhouse, "market_data"));
  const builder = new BlockBuilder(columns);
  const stamp = {
    env: "bench",
    recorder: "bench",
    run: 1_234_567_890_123_456_789n,
    source: "",
    source_seq: null,
  };
  for (const [i, row] of quoteRows(rows).entries()) builder.append(row, { ...stamp, seq: i + 1 });
  const body = builder.encode();
  const sql = `INSERT INTO coldpath.market_data (${columns.map(({ name }) => name).join(", ")}) FORMAT Native`;
  const settings = await readInsertSettings(clickhouse);
  return () => {
    const queryId = randomUUID();
    const own = { insert_deduplication_token: queryId, log_comment: queryId };
    return clickhouse.insert({ sql, body, queryId, settings: { ...settings, ...own } });
  };
}

export function nameOf({ batchRows, readers, withPassword }: InsertFigures): string {
  const size = `${batchRows.toLocaleString("en-US")} rows`;
  if (readers === 0) return `${size}, alone`;
  return `${size}, ${readers} readers ${withPassword ? "with" : "without"} the password`;
}

/** How many times as long an insert takes as it does alone, by the medians. */
export function slowdown(figures: readonly InsertFigures[], figure: InsertFigures): number {
  const alone = figures.find(({ batchRows, readers }) => batchRows === figure.batchRows && readers === 0)!;
  return quantile(figure.insertMs, 0.5) / quantile(alone.insertMs, 0.5);
}

/**
 * How many times as long it would take if every reader that runs, each with as many threads as there are cores, took as
 * much of the cores as the insert does.
 */
function share({ readers, withPassword }: InsertFigures): number {
  return 1 + Math.min(readers, withPassword ? OWNER_READS_AT_ONCE : READER_READS_AT_ONCE);
}

export function insertTable(figures: readonly InsertFigures[]): Table {
  return {
    title: `Inserts beside readers, ${cpus().length} cores`,
    headings: ["insert of", "inserts", "p50 ms", "p99 ms", "of alone", "share", "reads/s"],
    rows: figures
      .toSorted((a, b) => a.batchRows - b.batchRows)
      .map((figure) => [
        nameOf(figure),
        String(figure.insertMs.length),
        quantile(figure.insertMs, 0.5).toFixed(1),
        quantile(figure.insertMs, 0.99).toFixed(1),
        slowdown(figures, figure).toFixed(2),
        String(share(figure)),
        (figure.readsPerSecond.reduce((sum, each) => sum + each, 0) / figure.readsPerSecond.length).toFixed(
          1,
        ),
      ]),
  };
}
