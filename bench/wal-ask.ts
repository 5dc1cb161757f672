import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MINUTE_MS } from "../src/base/units.js";
import { Engine } from "../src/engine/engine.js";
import { ClickHouse } from "../src/index.js";
import { readTable } from "../src/schemas/introspect.js";
import { migrate } from "../src/schemas/migrate.js";
import { Inquiry } from "../src/sink/inquiry.js";
import { quantile } from "./measure.js";

/** Milliseconds of the count of one batch's rows in a table of so many. */
export interface Asked {
  readonly tableRows: number;
  readonly parts: number;
  readonly p50: number;
  readonly p99: number;
}

const MONTHS = ["2026-07-01", "2026-08-01", "2026-09-01"];
/** Starts of the recorder in each month: one a day. */
const RUNS = 30;
const RUN_BASE = 1_000_000_000_000;
const SYMBOLS = 50;
const INSERT_ROWS = 1_000_000;
const BATCH_ROWS = 2_000;
/** Of the frames that the batch was logged in. */
const FRAME_ROWS = 100;
const QUESTIONS = 200;

/** Orders of three months, in the shipped table with its indexes; the batches asked for lie anywhere in the last month. */
export async function measureAsk(tableRows: number): Promise<Asked> {
  const folder = mkdtempSync(join(tmpdir(), "coldpath-bench-ask-"));
  const engine = await Engine.start({ dataDir: join(folder, "clickhouse") });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  try {
    await migrate(clickhouse);
    const monthRows = Math.floor(tableRows / MONTHS.length);
    for (const month of MONTHS) await fill(clickhouse, month, monthRows);
    return { tableRows: monthRows * MONTHS.length, ...(await ask(clickhouse, Math.floor(monthRows / RUNS))) };
  } finally {
    await clickhouse.close();
    engine.kill();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In order of time, as a recorder stores them. */
async function fill(clickhouse: ClickHouse, month: string, rows: number): Promise<void> {
  const start = MONTHS.indexOf(month) * RUNS + RUN_BASE;
  const runRows = Math.floor(rows / RUNS);
  for (let from = 0; from < rows; from += INSERT_ROWS) {
    const count = Math.min(INSERT_ROWS, rows - from);
    await clickhouse.command(
      `INSERT INTO orders (ts, client_order_id, strategy, symbol, side, qty, limit_px, status, recorder, run, seq)
       SELECT toDateTime64('${month}', 9, 'UTC') + toIntervalMicrosecond(intDiv(number * 2500000000000, ${rows})),
              concat('o-', toString(number)), 's', concat('S', toString(number % ${SYMBOLS})), 'buy', 1, 100, 'new', 'desk-1',
              ${start} + intDiv(number, ${runRows}), number % ${runRows} + 1
       FROM numbers(${from}, ${count})`,
      { timeoutMs: 10 * MINUTE_MS },
    );
  }
}

async function ask(clickhouse: ClickHouse, runRows: number): Promise<Omit<Asked, "tableRows">> {
  const table = await readTable(clickhouse, "orders");
  const inquiry = new Inquiry({ clickhouse, deadlineMs: MINUTE_MS });
  const { signal } = new AbortController();
  const at = clickhouse.endpoint;
  const times: number[] = [];
  for (let turn = 0; turn < QUESTIONS; turn += 1) {
    const first = 1 + Math.floor(((turn * 0.618) % 1) * (runRows - BATCH_ROWS));
    const batch = {
      table,
      partition: { key: MONTHS.at(-1)!, from: -Infinity, to: Infinity },
      inherited: true,
      recorder: "desk-1",
      run: BigInt(RUN_BASE + (MONTHS.length - 1) * RUNS + (turn % RUNS)),
      firstSeq: `${first}`,
      lastSeq: `${first + BATCH_ROWS - 1}`,
      rows: BATCH_ROWS,
      frames: Array.from({ length: BATCH_ROWS / FRAME_ROWS }, (_, frame) => ({
        firstSeq: first + frame * FRAME_ROWS,
        count: FRAME_ROWS,
      })),
    };
    const begun = performance.now();
    const found = await inquiry.count(batch, at, signal);
    times.push(performance.now() - begun);
    if (found.seqs !== BATCH_ROWS) throw new Error(`found ${found.seqs} of ${BATCH_ROWS} rows`);
  }
  const [row] = await clickhouse.rows<{ parts: string }>(
    "SELECT count() AS parts FROM system.parts WHERE active AND table = 'orders'",
  );
  return { parts: Number(row!.parts), p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}
