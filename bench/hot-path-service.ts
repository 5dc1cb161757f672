import { setTimeout as delay } from "node:timers/promises";
import {
  CALLS,
  type CallName,
  compileLoop,
  compilePlain,
  emptyCall,
  type Loop,
  type Take,
  type Times,
} from "./hot-path-calls.js";
import { type Place, withRecorder } from "./hot-path-recorder.js";
import { median } from "./measure.js";

/** Rows a second that are offered; 0 is flat out. */
export const RATES = [25_000, 100_000, 1_000_000, 0] as const;
export type Rate = (typeof RATES)[number];

/** Nanoseconds; medians over the rounds, but for the longest of all. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** How one kind of row fared at one rate: the call, and in turn with it one that does nothing. */
export interface Service {
  readonly call: string;
  readonly rate: number;
  readonly rows: number;
  readonly refused: number;
  /** Without the clock's own time. */
  readonly service: Quantiles;
  readonly emptyService: Quantiles;
  readonly response: Quantiles;
  readonly emptyResponse: Quantiles;
}

/** ClickHouse while the rows were recorded. */
export type Weather = "up" | "hanging" | "dead";

export interface Weathered extends Service {
  readonly clickhouse: Weather;
}

/** Rows of a round, by rate: short enough that the ring holds them all. */
const ROUND_ROWS: Readonly<Record<Rate, number>> = {
  25000: 10_000,
  100000: 25_000,
  1000000: 40_000,
  0: 40_000,
};
/** At the lowest rate a round meets few of the disturbances that make its slowest hundredth. */
const ROUNDS: Readonly<Record<Rate, number>> = { 25000: 21, 100000: 11, 1000000: 7, 0: 7 };
/** Critical rows are not dropped: while nothing lands, no more of them than the recorder can hold. */
const CRITICAL_ROUNDS = 3;
/** Calls until the compiler has done what it does. */
const WARM_ROWS = 20_000;
const NS_PER_MS = 1e6;

function quantilesOf(times: Float64Array, clock: number): Quantiles {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number): number =>
    Math.max(0, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]! * NS_PER_MS - clock);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function over(rounds: readonly Quantiles[]): Quantiles {
  const middle = (name: keyof Quantiles): number => median(rounds.map((round) => round[name]));
  return {
    p50: middle("p50"),
    p99: middle("p99"),
    p999: middle("p999"),
    max: Math.max(...rounds.map(({ max }) => max)),
  };
}

function timesOf(rows: number): Times {
  return { service: new Float64Array(rows), response: new Float64Array(rows) };
}

const clockLoop: Loop = compileLoop("undefined");
const nothing: Take = () => true;

/** What two looks at the clock take, nanoseconds. */
function clockCost(): number {
  const times = timesOf(WARM_ROWS);
  clockLoop(nothing, nothing, WARM_ROWS, 0, times, times);
  return quantilesOf(times.service, 0).p50;
}

export interface Trial {
  readonly call: string;
  readonly literal: string;
  readonly take: Take;
  readonly rates: readonly Rate[];
  readonly rounds?: number;
  /** Rows of a round; by default as many as the rate calls for. */
  readonly rows?: number;
  /** Between two rounds: what was taken is landed or thrown away. */
  readonly settle: () => Promise<unknown>;
}

/** Times one kind of call. */
export async function timeCalls(trial: Trial): Promise<Service[]> {
  const { call, literal, take, settle } = trial;
  const loop = compileLoop(literal);
  const warm = timesOf(trial.rows ?? WARM_ROWS);
  clockCost();
  for (let turn = 0; turn < 2; turn += 1) {
    loop(take, emptyCall, warm.service.length, 0, warm, timesOf(warm.service.length));
    await settle();
  }
  const found: Service[] = [];
  for (const rate of trial.rates) {
    const rows = trial.rows ?? ROUND_ROWS[rate];
    const taken = timesOf(rows);
    const empty = timesOf(rows);
    const rounds: Pick<Service, "service" | "emptyService" | "response" | "emptyResponse">[] = [];
    let refused = 0;
    for (let round = 0; round < (trial.rounds ?? ROUNDS[rate]); round += 1) {
      const clock = clockCost();
      refused += loop(take, emptyCall, rows, rate === 0 ? 0 : 1000 / rate, taken, empty);
      rounds.push({
        service: quantilesOf(taken.service, clock),
        emptyService: quantilesOf(empty.service, clock),
        response: quantilesOf(taken.response, 0),
        emptyResponse: quantilesOf(empty.response, 0),
      });
      await settle();
    }
    found.push({
      call,
      rate,
      rows: rows * rounds.length,
      refused,
      service: over(rounds.map((round) => round.service)),
      emptyService: over(rounds.map((round) => round.emptyService)),
      response: over(rounds.map((round) => round.response)),
      emptyResponse: over(rounds.map((round) => round.emptyResponse)),
    });
  }
  return found;
}

/** `record()` of every kind of row while ClickHouse is up, then while it hangs, then while it is dead. */
export function measureService(): Promise<Weathered[]> {
  return withRecorder(async (place) => {
    await warmUp(place);
    const found = await inWeather(place, "up");
    process.kill(place.engine.pid!, "SIGSTOP");
    found.push(...(await inWeather(place, "hanging")));
    place.engine.kill();
    found.push(...(await inWeather(place, "dead")));
    return found;
  });
}

/**
 * Calls of every kind, as a trading program makes them all: once depth and quotes have gone into the same table, its code is ready for
 * both, and what is measured first is measured in the same state as what comes last.
 */
async function warmUp({ recorder }: Place): Promise<void> {
  for (const { literal, table } of Object.values(CALLS)) {
    compilePlain(literal)(recorder.table(table as string).record as Take, WARM_ROWS);
    await recorder.flush();
  }
}

async function inWeather({ recorder }: Place, clickhouse: Weather): Promise<Weathered[]> {
  const found: Weathered[] = [];
  for (const name of Object.keys(CALLS) as CallName[]) {
    const { what, literal, table } = CALLS[name];
    const isCritical = table !== "market_data";
    console.error(`service time, ClickHouse ${clickhouse}: ${what}`);
    const services = await timeCalls({
      call: what,
      literal,
      take: recorder.table(table as string).record as Take,
      rates: isCritical && clickhouse !== "up" ? [25_000] : RATES,
      ...(isCritical && clickhouse !== "up" ? { rounds: CRITICAL_ROUNDS } : {}),
      settle: () => (clickhouse === "up" ? recorder.flush() : delay(100)),
    });
    found.push(...services.map((service) => ({ ...service, clickhouse })));
  }
  return found;
}
