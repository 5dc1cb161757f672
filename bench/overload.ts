import { existsSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Burned, replayBurst } from "../test/overload/stress/captures.js";
import { reversalsOf, violationsOf } from "../test/overload/stress/judge.js";
import { CALM, storm } from "../test/overload/stress/plans.js";
import { stress } from "../test/overload/stress/stress.js";
import { judge } from "./measure.js";
import { overloadChart, secondsOf } from "./overload-chart.js";
import { type Overload, overloadTables } from "./overload-report.js";
import { publish } from "./report.js";

/**
 * More than a recorder can store: what it keeps, what it tells of the rest, and what the thread that records notices of it. `--full`: a
 * minute of storm, not half of one. `--data DIR`: the recordings. `--check` exits 1 when a required number is missed.
 */

const REST_SECONDS = 5;
/** Of each of three phases. */
const PHASE_SECONDS = { short: 8, full: 20 } as const;
const BURST_SECONDS = 10;
const SPEEDS: readonly (readonly [name: string, speed: number])[] = [
  ["1×", 1],
  ["10×", 10],
  ["100×", 100],
  ["flat out", Number.POSITIVE_INFINITY],
];
const STAY_MS = 5_000;
/** A call that takes less than this is as fast as at rest, whatever that was. */
const CALL_NS = 1_000;

const NOTE = `![Offered and stored rows, level and memory over time](overload.svg)

A process that offers 1,000,000 rows/s of market data (100 symbols; of 16 rows one is depth, two are trades) and 5,000 orders/s from its main
thread, to a recorder with a user's defaults in the same process; ClickHouse is the embedded engine behind a proxy, all on the same cores.
At rest: 5,000 and 100 rows/s. Slow: each request takes half a second longer. Stopped: no connection is taken. Back: as at first, under
the same load. Afterwards: as at rest, until the level is normal. \`record()\`: single calls, with their object literal and two looks at the clock. \`durable()\`: until all
orders recorded before are on disk. Rows held: encoded, all tables; process: resident, the trading program with its recorder.

The account: a ledger of the producer by symbol and kind against stored rows, their \`skipped\` and \`data_gap\`, by SQL; it adds up exactly, or
the run fails. \`sampled\` and \`deduplicated\` are told by \`skipped\` as well. \`ring_full\`: \`record()\` said no, since the recorder's thread was behind.

Recorded bursts: three perpetuals of Binance, 2024-08-08 from 23:54, up to ten seconds of replay, at a recorder whose ClickHouse takes half a second longer for
each INSERT of 2,000 rows, two at once, with a queue of 10,000 rows and a ring of 1 MiB: some 8,000 rows/s. Nothing waits for room.`;

/** What a run has opened, in order. */
class Scope implements AsyncDisposable {
  readonly #closings: (() => Promise<void> | void)[] = [];

  after(close: () => Promise<void> | void): void {
    this.#closings.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closings.reverse()) await close();
  }
}

async function measureStorm(seconds: number): Promise<Overload["storm"]> {
  await using scope = new Scope();
  const plan = {
    market: { symbols: 100, hot: false },
    phases: storm(seconds, undefined, REST_SECONDS),
    afterwards: CALM,
  };
  const { clickhouse: _, tally: __, ...storms } = await stress(scope, plan);
  return storms;
}

async function measureBurst(data: string, speed: number): Promise<Burned> {
  await using scope = new Scope();
  return await replayBurst(scope, { data, speed, seconds: BURST_SECONDS });
}

function check({ storm: stormed, bursts }: Overload): boolean {
  const { timings, samples, steps, account } = stormed;
  const rest = timings[0]!;
  const loaded = timings.slice(1, -1);
  const { reversals, seconds } = reversalsOf(steps);
  const violations = violationsOf(stormed, STAY_MS);
  for (const violation of violations) console.error(violation);
  const burst = bursts.flatMap(({ burned }) => burned.account.violations);
  for (const violation of burst) console.error(violation);
  const slowest = Math.max(...loaded.map(({ p99 }) => p99));
  return judge([
    { what: "what does not add up", value: violations.length + burst.length, atMost: 0, unit: "violations" },
    {
      what: "p99 of record() in the storm, of that at rest (at least 1 µs)",
      value: slowest / Math.max(rest.p99, CALL_NS),
      atMost: 1.2,
      unit: "×",
    },
    {
      what: "critical rows lost",
      value: account.criticalOffered - account.criticalStored,
      atMost: 0,
      unit: "rows",
    },
    {
      // The bodies of requests may pass the limit.
      what: "the most memory that rows ever took, of its limit",
      value: samples.at(-1)!.memoryPeak / samples.at(-1)!.memoryMax,
      atMost: 1.2,
      unit: "×",
    },
    {
      what: "reversals of the level in a stay of 5 s",
      value: seconds === 0 ? 0 : reversals / Math.max(1, (seconds * 1000) / STAY_MS),
      atMost: 1,
      unit: "",
    },
  ]);
}

const { values } = parseArgs({
  options: {
    data: { type: "string", default: join("..", "shared", "data") },
    full: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});
const busy = loadavg()[0]!.toFixed(1);
const stormed = await measureStorm(PHASE_SECONDS[values.full ? "full" : "short"]);
const bursts: { name: string; burned: Burned }[] = [];
if (existsSync(join(values.data, "binance-raw-ws")))
  for (const [name, speed] of SPEEDS) {
    console.error(`recorded bursts, ${name}`);
    bursts.push({ name, burned: await measureBurst(values.data, speed) });
  }
else console.error(`no recordings at ${values.data}; name their folder with --data`);
const overload: Overload = { storm: stormed, bursts };
const seconds = secondsOf(stormed.samples);
const { samples: _, ...storms } = stormed;
publish({
  name: "overload",
  command: `npm run bench -- overload${values.full ? " --full" : ""}`,
  note: `${NOTE}\n\nLoad average of the machine as it began: ${busy}.`,
  tables: overloadTables(overload),
  figures: { storm: { ...storms, seconds }, bursts },
});
writeFileSync("docs/results/overload.svg", overloadChart(seconds));
if (!check(overload) && values.check) process.exitCode = 1;
