import {
  type Freshness,
  measureFreshness,
  type Sustained,
  sustain,
  sustainedRate,
} from "./hot-path-chain.js";
import { type Garbage, measureGarbage } from "./hot-path-garbage.js";
import { hotPathTables } from "./hot-path-report.js";
import { measureRivals } from "./hot-path-rivals.js";
import { measureService, type Service, type Weathered } from "./hot-path-service.js";
import { judge, median, runCase } from "./measure.js";
import { publish } from "./report.js";

/**
 * What `record()` takes from the thread that calls it, and what the rest makes of the rows: service and response times, garbage, the
 * chain from ring to visible. Every part runs in a process of its own. `--check` exits 1 when a required number is missed.
 */

const CHAIN_ROUNDS = 2;
const CHAIN_SECONDS = 10;
const FRESH_ROUNDS = 3;
const MICROSECOND = 1000;

const NOTE = `Service time: one call with its object literal, without the time of the two looks at the clock around it, nanoseconds; \`empty\` is a call
that does nothing with the same literal, made in turn with the other on a schedule of its own, so that both meet the same disturbances. Response
time: from the moment the call was meant to begin (open loop), clock included, microseconds. All are medians of 7 rounds or more (21 at 25,000 rows/s),
but for \`max\`, the longest of all. Hanging: the engine's process is stopped; dead: it is killed. Memory and CPU of the chain are the recorder's alone: without
the thread that records, and without the engine, which runs on the same cores.`;

export interface HotPath {
  readonly services: readonly Weathered[];
  readonly garbage: readonly Garbage[];
  readonly rivals: readonly Service[];
  readonly chain: readonly Sustained[];
  readonly fresh: readonly Freshness[];
}

const CASES: Readonly<Record<string, () => Promise<unknown>>> = {
  service: measureService,
  garbage: measureGarbage,
  rivals: measureRivals,
  "500,000 rows/s": () => sustain(500_000, CHAIN_SECONDS),
  "1,000,000 rows/s": () => sustain(1_000_000, CHAIN_SECONDS),
  "flat out": () => sustain(undefined, CHAIN_SECONDS),
  "market_data, 350,000 rows/s": () => sustain(350_000, CHAIN_SECONDS, "market_data"),
  "market_data, 500,000 rows/s": () => sustain(500_000, CHAIN_SECONDS, "market_data"),
  "market_data, 1,000,000 rows/s": () => sustain(1_000_000, CHAIN_SECONDS, "market_data"),
  freshness: measureFreshness,
};

const CHAIN = [
  "500,000 rows/s",
  "1,000,000 rows/s",
  "flat out",
  "market_data, 350,000 rows/s",
  "market_data, 500,000 rows/s",
  "market_data, 1,000,000 rows/s",
];

async function run<T>(name: string): Promise<T> {
  console.error(name);
  return await runCase<T>(new URL(import.meta.url), name, name === "garbage" ? ["--expose-gc"] : []);
}

async function measureAll(): Promise<HotPath> {
  const services = await run<Weathered[]>("service");
  const garbage = await run<Garbage[]>("garbage");
  const rivals = await run<Service[]>("rivals");
  const chain: Sustained[] = [];
  for (let round = 0; round < CHAIN_ROUNDS; round += 1) for (const name of CHAIN) chain.push(await run(name));
  const fresh: Freshness[] = [];
  for (let round = 0; round < FRESH_ROUNDS; round += 1) fresh.push(await run("freshness"));
  return { services, garbage, rivals, chain, fresh };
}

function check({ services, garbage, chain, fresh }: HotPath): boolean {
  const of = (call: string, clickhouse = "up"): Weathered[] =>
    services.filter((service) => service.call === call && service.clickhouse === clickhouse);
  const quotes = of("L1 quote");
  const slowest = (found: readonly Weathered[], part: "p50" | "p99"): number =>
    Math.max(...found.map(({ service }) => service[part]));
  const change = (clickhouse: string): number =>
    median(
      of("L1 quote", clickhouse).map(
        ({ service, rate }) => service.p50 / quotes.find((quote) => quote.rate === rate)!.service.p50,
      ),
    );
  const corrected = quotes
    .filter(({ rate }) => rate > 0)
    // Below a microsecond a response is the call itself, which is held to its own limits.
    .map(({ response, emptyResponse }) => response.p99 / Math.max(emptyResponse.p99, MICROSECOND));
  const steady = chain.filter(({ table, offered }) => table === "bench_l1" && offered === 500_000);
  const best = steady.reduce((one, other) => (sustainedRate(other) > sustainedRate(one) ? other : one));
  const quoteGarbage = garbage.find(({ call }) => call === "L1 quote")!;
  return judge([
    {
      what: "service time of an L1 quote, p50 of the slowest rate",
      value: slowest(quotes, "p50"),
      atMost: 150,
      unit: "ns",
    },
    {
      what: "service time of an L1 quote, p99 of the slowest rate",
      value: slowest(quotes, "p99"),
      atMost: 1000,
      unit: "ns",
    },
    {
      what: "service time of L2 depth 5, p50 of the slowest rate",
      value: slowest(of("L2 depth 5"), "p50"),
      atMost: 600,
      unit: "ns",
    },
    {
      what: "allocated by us for an L1 quote",
      value: quoteGarbage.bytes - quoteGarbage.emptyBytes,
      atMost: 0.5,
      unit: "bytes",
    },
    {
      what: "median of an L1 quote while ClickHouse hangs, of that while it is up",
      value: change("hanging"),
      atLeast: 0.8,
      atMost: 1.2,
      unit: "×",
    },
    {
      what: "median of an L1 quote while ClickHouse is dead, of that while it is up",
      value: change("dead"),
      atLeast: 0.8,
      atMost: 1.2,
      unit: "×",
    },
    {
      what: "corrected p99 of an L1 quote, of the empty call's (at least 1 µs)",
      value: Math.max(...corrected),
      atMost: 1.2,
      unit: "×",
    },
    {
      what: "narrow rows sustained and counted back",
      value: sustainedRate(best),
      atLeast: 500_000,
      unit: "rows/s",
    },
    {
      what: "CPU of the recorder, ring to socket, of a narrow row",
      value: (best.cpuSeconds / best.rows) * 1e6,
      atMost: 1,
      unit: "µs",
    },
    {
      what: "memory of the recorder at 500,000 rows/s",
      value: best.rssBytes / 2 ** 20,
      atMost: 200,
      unit: "MiB",
    },
    {
      what: "freshness p99 at 25,000 rows/s",
      value: median(fresh.map(({ p99 }) => p99)),
      atMost: 600,
      unit: "ms",
    },
  ]);
}

if (process.argv.includes("--case")) {
  process.send?.(await CASES[process.argv[process.argv.indexOf("--case") + 1]!]!());
  process.disconnect?.();
} else {
  const figures = await measureAll();
  publish({
    name: "hot-path",
    command: "npm run bench -- hot-path",
    note: NOTE,
    tables: hotPathTables(figures),
    figures,
  });
  if (!check(figures) && process.argv.includes("--check")) process.exitCode = 1;
}
