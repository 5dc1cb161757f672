import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import { createClient } from "@clickhouse/client";
import { sentColumns } from "../src/buffer/stamp.js";
import { ClickHouse } from "../src/clickhouse/client.js";
import { loadConfig } from "../src/config/load.js";
import { Engine } from "../src/engine/engine.js";
import { ingestFiles } from "../src/intake/ingest.js";
import { BlockBuilder } from "../src/native/block.js";
import { Recorder, type RecorderOptions } from "../src/recorder.js";
import { readTable } from "../src/schemas/introspect.js";
import { migrate } from "../src/schemas/migrate.js";
import { EngineAlone } from "./alone.js";
import { judge, type Measured, measure, median, medianRun, runCase } from "./measure.js";
import { publish } from "./report.js";
import { type BenchRow, fullRows, narrowRows, quoteRows } from "./rows.js";

/**
 * How fast rows end as stored rows: the recorder on rows that are already objects, `ingest` on CSV, beside the engine alone
 * and the official client on the same rows. Every case runs in a fresh process with a fresh embedded ClickHouse, three times;
 * medians are printed. `--check` exits 1 when a required number is missed.
 */

const BLOCK_ROWS = 50_000;
const IN_FLIGHT = 2;
/** Row objects that the recorder is fed again and again: their own memory should not be most of what is measured. */
const DISTINCT_ROWS = 10_000;
const ROUNDS = 3;
const PIECE_ROWS = 1_000;

interface Kind {
  readonly table: string;
  readonly rows: (count: number) => BenchRow[];
  /** Rows of a run through the recorder; the slower comparisons take fewer. */
  readonly count: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  narrow: { table: "bench_l1", rows: narrowRows, count: 5_000_000 },
  quote: { table: "market_data", rows: quoteRows, count: 3_000_000 },
  full: { table: "market_data", rows: fullRows, count: 1_500_000 },
};

interface Place {
  readonly folder: string;
  readonly engine: Engine;
  readonly clickhouse: ClickHouse;
}

/** A fresh engine with all tables, gone afterwards. */
async function withEngine<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
  const engine = await Engine.start({ dataDir: join(folder, "clickhouse") });
  const clickhouse = new ClickHouse({
    url: engine.url,
    user: engine.user,
    password: engine.password,
    database: "coldpath",
  });
  try {
    await migrate(clickhouse, { userDirs: [resolve("bench/schemas")] });
    return await work({ folder, engine, clickhouse });
  } finally {
    await clickhouse.close();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The defaults that a user gets. */
function recorderOptions({ folder, clickhouse }: Place, table: string): RecorderOptions {
  const { config } = loadConfig({ env: {}, cwd: folder });
  return {
    recorder: "bench",
    env: "bench",
    clickhouse,
    compression: config.clickhouse.compression,
    tables: { [table]: config.tables.market_data },
    memory: config.memory,
    accept: config.accept,
    deadLettersDir: join(folder, "dead-letters"),
  };
}

async function mustHold(clickhouse: ClickHouse, table: string, rows: number): Promise<void> {
  const stored = Number(await clickhouse.text(`SELECT count() FROM ${table} FORMAT TSV`));
  if (stored !== rows) throw new Error(`${table} holds ${stored} rows, not ${rows}`);
}

/** Rows that are objects already, through buffer, encoder, sink and HTTP. */
function recorderCase(kind: Kind): Promise<Measured> {
  return withEngine(async (place) => {
    const rows = kind.rows(DISTINCT_ROWS);
    const recorder = await Recorder.open(recorderOptions(place, kind.table));
    const writer = recorder.table(kind.table);
    const measured = await measure(kind.count, async () => {
      for (let i = 0; i < kind.count; i++) {
        if (writer.full) await writer.room();
        // As files are read: a source that waits for room is at the limit all the time, and its equal rows are no duplicates.
        writer.offerWhole(rows[i % DISTINCT_ROWS]!);
        // Sockets are served between stretches, as they would be beside any producer that yields.
        if (i % 10_000 === 9_999) await new Promise(setImmediate);
      }
      await recorder.flush();
    });
    await recorder.close({ deadlineMs: 10_000 });
    await mustHold(place.clickhouse, kind.table, kind.count);
    return measured;
  });
}

/** The same rows as the official client sends them: JSONEachRow, same batch size, same number in flight. */
function clientCase(kind: Kind): Promise<Measured> {
  return withEngine(async ({ engine, clickhouse }) => {
    const count = Math.min(kind.count, 500_000);
    const common = { env: "bench", recorder: "bench", run: "1234567890123456789" };
    const rows = kind.rows(BLOCK_ROWS).map((row, i) => {
      const times = { ts_exchange: String(row["ts_exchange"]), ts_local: String(row["ts_local"]) };
      return { ...common, ...row, ...times, seq: i };
    });
    const client = createClient({
      url: engine.url,
      username: engine.user,
      password: engine.password,
      database: "coldpath",
      clickhouse_settings: { async_insert: 0, wait_end_of_query: 1 },
    });
    const measured = await measure(count, async () => {
      let next = 0;
      const sender = async (): Promise<void> => {
        for (let at = next; at < count; at = next) {
          next += BLOCK_ROWS;
          const token = { insert_deduplication_token: `batch-${at}` };
          await client.insert({
            table: kind.table,
            values: rows,
            format: "JSONEachRow",
            clickhouse_settings: token,
          });
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
    });
    await client.close();
    await mustHold(clickhouse, kind.table, count);
    return measured;
  });
}

/** The engine on the same rows as one pre-encoded Native file, with nothing in between. */
function engineCase(kind: Kind): Promise<Measured> {
  return withEngine(async ({ folder, clickhouse }) => {
    const table = await readTable(clickhouse, kind.table);
    const columns = sentColumns(table);
    const builder = new BlockBuilder(columns);
    const stamp = {
      env: "bench",
      recorder: "bench",
      run: 1_234_567_890_123_456_789n,
      source: "",
      source_seq: null,
    };
    for (const [i, row] of kind.rows(BLOCK_ROWS).entries()) builder.append(row, { ...stamp, seq: i + 1 });
    const file = join(folder, "block.native");
    writeFileSync(file, builder.encode());
    const create = await clickhouse.text(`SHOW CREATE TABLE ${kind.table} FORMAT TSVRaw`);
    const insert =
      `INSERT INTO ${kind.table} (${columns.map(({ name }) => name).join(", ")}) ` +
      `FROM INFILE '${file}' SETTINGS insert_deduplication_token = '{token}', async_insert = 0 FORMAT Native`;
    const alone = new EngineAlone(join(folder, "alone"));
    await alone.run([create.replace("coldpath.", "")]);
    const inserts = Array.from({ length: kind.count / BLOCK_ROWS }, (_, i) =>
      insert.replace("{token}", `block-${i}`),
    );
    const { seconds } = await alone.run(inserts, IN_FLIGHT);
    await alone.close();
    return { rows: kind.count, seconds, cpuSeconds: 0, rssBytes: 0 };
  });
}

/** `coldpath ingest` of a CSV of narrow quotes, from the file to stored. */
function csvCase(): Promise<Measured> {
  return withEngine(async (place) => {
    const count = 1_000_000;
    const file = join(place.folder, "quotes-20240808.csv");
    const out = createWriteStream(file);
    // Written in small pieces: what the file took to make must not count as memory of the reader.
    const rows = narrowRows(PIECE_ROWS);
    for (let i = 0; i < count; i += PIECE_ROWS) {
      const lines = rows.map((row, k) => `${i + k},${row["bid_px1"]},${row["ask_px1"]}`);
      if (!out.write(`${lines.join("\n")}\n`)) await once(out, "drain");
    }
    out.end();
    await finished(out);
    const mapping = join(place.folder, "mapping.yaml");
    writeFileSync(
      mapping,
      [
        "format: csv",
        "csv: { columns: [time, bid, ask] }",
        "files:",
        "  - pattern: '(?<symbol>[a-z]+)-(?<date>\\d{8})\\.csv'",
        "columns:",
        "  ts_exchange: { time: time, unit: ms, date: { file: date }, zone: UTC }",
        "  ts_local: { time: time, unit: ms, date: { file: date }, zone: UTC }",
        "  symbol: { file: symbol, case: upper }",
        "  kind: { constant: quote }",
        "  bid_px1: bid",
        "  ask_px1: ask",
      ].join("\n"),
    );
    const recorder = await Recorder.open(recorderOptions(place, "market_data"));
    const measured = await measure(count, async () => {
      await ingestFiles({
        recorder,
        clickhouse: place.clickhouse,
        table: "market_data",
        files: [file],
        mapping,
      });
    });
    await recorder.close({ deadlineMs: 10_000 });
    await mustHold(place.clickhouse, "market_data", count);
    return measured;
  });
}

const CASES: Readonly<Record<string, () => Promise<Measured>>> = {
  ...Object.fromEntries(
    Object.entries(KINDS).flatMap(([name, kind]) => [
      [`${name} recorder`, () => recorderCase(kind)],
      [`${name} engine`, () => engineCase(kind)],
      [`${name} client`, () => clientCase(kind)],
    ]),
  ),
  "csv ingest": csvCase,
};

function describe(name: string, run: Measured, engine: number | undefined): string[] {
  const rate = run.rows / run.seconds;
  return [
    name,
    Math.round(rate).toLocaleString("en-US"),
    run.cpuSeconds === 0 ? "-" : ((run.cpuSeconds / run.rows) * 1e6).toFixed(2),
    run.rssBytes === 0 ? "-" : String(Math.round(run.rssBytes / 2 ** 20)),
    engine === undefined ? "-" : (rate / engine).toFixed(2),
  ];
}

async function main(check: boolean): Promise<boolean> {
  const runs = new Map<string, Measured[]>(Object.keys(CASES).map((name) => [name, []]));
  // In turn, so that a machine that slows down slows all of them down.
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, found] of runs) {
      console.error(`round ${round} of ${ROUNDS}: ${name}`);
      found.push(await runCase(new URL(import.meta.url), name));
    }
  }
  const best = new Map([...runs].map(([name, found]) => [name, medianRun(found)]));
  const rate = (name: string): number => median(runs.get(name)!.map((run) => run.rows / run.seconds));
  const cpu = (name: string): number =>
    median(runs.get(name)!.map((run) => (run.cpuSeconds / run.rows) * 1e6));
  publish({
    name: "ingest",
    command: "npm run bench -- ingest",
    tables: [
      {
        headings: ["case", "rows/s", "sender CPU µs/row", "peak RSS MiB", "of the engine alone"],
        rows: [...best].map(([name, run]) => {
          const engine = `${name.split(" ")[0]} engine`;
          return describe(name, run, best.has(engine) && engine !== name ? rate(engine) : undefined);
        }),
      },
    ],
    figures: Object.fromEntries(runs),
  });
  const peak = Math.max(
    ...Object.keys(KINDS).flatMap((kind) => runs.get(`${kind} recorder`)!.map((run) => run.rssBytes)),
  );
  const fine = judge([
    { what: "narrow rows/s", value: rate("narrow recorder"), atLeast: 500_000, unit: "rows/s" },
    { what: "full market_data rows/s", value: rate("full recorder"), atLeast: 250_000, unit: "rows/s" },
    {
      what: "sender CPU of a narrow row against the official client",
      value: cpu("narrow recorder") / cpu("narrow client"),
      atMost: 0.25,
      unit: "×",
    },
    {
      what: "sender CPU of a full row against the official client",
      value: cpu("full recorder") / cpu("full client"),
      atMost: 0.25,
      unit: "×",
    },
    { what: "peak memory of the recorder process", value: peak / 2 ** 20, atMost: 200, unit: "MiB" },
  ]);
  return fine || !check;
}

const caseName = process.argv[process.argv.indexOf("--case") + 1];
if (process.argv.includes("--case")) {
  process.send?.(await CASES[caseName!]!());
  process.disconnect?.();
} else if (!(await main(process.argv.includes("--check")))) {
  process.exitCode = 1;
}
