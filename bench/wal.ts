import { rmSync } from "node:fs";
import { judge, median, runCase } from "./measure.js";
import { publish } from "./report.js";
import { type Asked, measureAsk } from "./wal-ask.js";
import { type Latency, rawLatency, rawSyncs } from "./wal-disk.js";
import { type Durable, measureDurable } from "./wal-durable.js";
import { measureLatency } from "./wal-latency.js";
import { openLog, type RecoveredLog, writeLog } from "./wal-recovery.js";
import { measureReplay, type Replayed } from "./wal-replay.js";
import { walTables } from "./wal-report.js";

/**
 * What the log costs and gives: durable rows a second, how long an acknowledgement takes beside the bare disk, replay, start-up, asking.
 * Every part runs in a process of its own. `--full` for the sizes of the requirements, `--check` exits 1 when a required number is missed.
 */

const isFull = process.argv.includes("--full");
const RATES = [1_000, 10_000, 50_000];
const ROUNDS = 3;
const LATENCY_SECONDS = 10;
const DURABLE_ROWS = 2_000_000;
const BACKLOG_ROWS = isFull ? 15_000_000 : 2_000_000;
const LOG_BYTES = isFull ? 5e9 : 1e9;
const TABLE_ROWS = isFull ? 100_000_000 : 10_000_000;
/** What an order takes in the log, about; the bare disk is given as much. */
const ROW_BYTES = 120;
const SYNC_BYTES = 65_536;
const SYNCS = 2_000;
const PER_ROW_SECONDS = 5;
const REQUIRED_START_SECONDS = 5;
const FULL_LOG_BYTES = 5e9;

const NOTE = `Latency: from the millisecond in which a row was meant to be recorded until \`durable()\` resolved in the trading thread, ms; rows come in bursts, one each
millisecond, and each burst is waited for. Bare disk: the same bytes on the same schedule, written and synced by a process that does nothing else, with one
sync for all that has come, or one for each row (what could not be written in twice the time is left out). Rounds of recorder and disk take turns;
the table shows the round with the median p99. Durable: rows recorded as fast as the ring takes them until the last \`durable()\`; \`up\`: ClickHouse, on
the same cores, stores them meanwhile; memory: peak over a process that had made as many rows for no recorder, which is what the generator took. Replay: a backlog logged while ClickHouse was away, in one table, while trades are recorded live; freshness is that of the trades.
Start-up: opening a log of which nothing is stored, files in the page cache. Ask: the count of a batch of 2,000 orders in the shipped table, three months of
rows, without the 250 ms for which no attempt may be seen.`;

export interface Wal {
  readonly durable: readonly Durable[];
  readonly latency: readonly Latency[];
  readonly raw: readonly Latency[];
  readonly perRow: readonly Latency[];
  readonly syncs: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly replay: Replayed;
  readonly recovery: RecoveredLog;
  readonly ask: Asked;
}

const CASES: Readonly<Record<string, (argument: string) => unknown>> = {
  "durable-narrow": (clickhouse) =>
    measureDurable("narrow", clickhouse as Durable["clickhouse"], DURABLE_ROWS),
  "durable-orders": (clickhouse) =>
    measureDurable("orders", clickhouse as Durable["clickhouse"], DURABLE_ROWS),
  latency: (rate) => measureLatency(Number(rate), LATENCY_SECONDS),
  raw: (rate) => rawLatency(Number(rate), ROW_BYTES, LATENCY_SECONDS),
  "per-row": (rate) => rawLatency(Number(rate), ROW_BYTES, PER_ROW_SECONDS, 1),
  syncs: () => rawSyncs(SYNC_BYTES, SYNCS),
  replay: (rows) => measureReplay(Number(rows)),
  "write-log": (bytes) => writeLog(Number(bytes)),
  "open-log": openLog,
  ask: (rows) => measureAsk(Number(rows)),
};

async function run<T>(name: string, argument: string | number = ""): Promise<T> {
  console.error(`${name} ${argument}`);
  return await runCase<T>(new URL(import.meta.url), `${name} ${argument}`);
}

/** The round with the median of the slowest hundredth; all its figures belong together. */
function medianRound(rounds: readonly Latency[]): Latency {
  const middle = median(rounds.map(({ p99 }) => p99));
  return rounds.find(({ p99 }) => p99 === middle)!;
}

async function measureAll(): Promise<Wal> {
  const durable: Durable[] = [];
  for (const name of ["durable-narrow", "durable-orders"])
    for (const clickhouse of ["up", "away"]) durable.push(await run(name, clickhouse));
  const latency: Latency[] = [];
  const raw: Latency[] = [];
  const perRow: Latency[] = [];
  for (const rate of RATES) {
    const rounds: { recorder: Latency; disk: Latency }[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      rounds.push({ recorder: await run("latency", rate), disk: await run("raw", rate) });
    latency.push(medianRound(rounds.map(({ recorder }) => recorder)));
    raw.push(medianRound(rounds.map(({ disk }) => disk)));
    perRow.push(await run("per-row", rate));
  }
  return {
    durable,
    latency,
    raw,
    perRow,
    syncs: await run("syncs"),
    replay: await run("replay", BACKLOG_ROWS),
    recovery: await measureRecovery(),
    ask: await run("ask", TABLE_ROWS),
  };
}

/** Written by another process than opens it, so that its memory is the opener's alone. */
async function measureRecovery(): Promise<RecoveredLog> {
  const folder = await run<string>("write-log", LOG_BYTES);
  try {
    return await run("open-log", folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function check({ durable, latency, replay, recovery, ask }: Wal): boolean {
  const narrow = durable.find(({ rows, clickhouse }) => rows === "narrow" && clickhouse === "up")!;
  const atTenThousand = latency.find(({ rowsPerSecond }) => rowsPerSecond === 10_000)!;
  const { bytes, seconds } = recovery;
  return judge([
    {
      what: "durable critical rows, while ClickHouse stores them",
      value: narrow.count / narrow.seconds,
      atLeast: 200_000,
      unit: "rows/s",
    },
    {
      what: "memory while rows become durable",
      value: Math.max(...durable.map(({ rssBytes }) => rssBytes)) / 2 ** 20,
      atMost: 200,
      unit: "MiB",
    },
    { what: "p99 of an acknowledgement at 10,000 rows/s", value: atTenThousand.p99, atMost: 10, unit: "ms" },
    {
      what: `replay of ${replay.backlogRows} rows, of the live rate`,
      value: replay.backlogRows / replay.seconds / replay.liveRowsPerSecond,
      atLeast: 5,
      unit: "×",
    },
    { what: "freshness p99 of live rows meanwhile", value: replay.freshP99, atMost: 2_000, unit: "ms" },
    {
      what: `start-up on ${Math.round(bytes / 1e9)} GB, as if 5 GB took as long in proportion`,
      value: seconds * Math.max(1, FULL_LOG_BYTES / bytes),
      atMost: REQUIRED_START_SECONDS,
      unit: "s",
    },
    { what: `ask against ${ask.tableRows} rows, p99`, value: ask.p99, atMost: 50, unit: "ms" },
  ]);
}

if (process.argv.includes("--case")) {
  const [name = "", argument = ""] = process.argv[process.argv.indexOf("--case") + 1]!.split(" ");
  process.send?.(await CASES[name]!(argument));
  process.disconnect?.();
} else {
  const figures = await measureAll();
  publish({
    name: "wal",
    command: `npm run bench -- wal${isFull ? " --full" : ""}`,
    note: NOTE,
    tables: walTables(figures),
    figures,
  });
  if (!check(figures) && process.argv.includes("--check")) process.exitCode = 1;
}
