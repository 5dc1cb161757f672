import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import type { Engine } from "../../src/engine/engine.js";
import type { FaultProxy } from "../support/fault-proxy.js";
import { cutAnswer, resetAfterStore, resetBeforeStore } from "../support/fault-proxy-faults.js";
import type { Random } from "../support/random.js";
import { EngineUnderFire } from "./engine-under-fire.js";
import type { Lane } from "./lanes.js";
import { judge, type Verdict, violations } from "./oracle.js";
import { POINTS, RARE_POINTS, RETRY_POINT } from "./points.js";
import type { Victim } from "./process.js";
import { retryLetters, START_MS, settle } from "./settle.js";
import type { Standing } from "./standing.js";

/** Kills recorders and engine again and again, has them end in peace, and judges what is stored. */
export interface TortureOptions {
  readonly engine: Engine;
  readonly clickhouse: ClickHouse;
  readonly proxy: FaultProxy;
  readonly lanes: readonly Lane[];
  readonly kills: number;
  /** After so many kills everything has to settle and is judged. Default all. */
  readonly judgeEvery?: number;
  /** Named points at which recorders die, beside random moments. Default all there are. */
  readonly points?: readonly string[];
  /** Of each kind of victim, so that what one draws does not depend on how fast another dies. */
  readonly randomOf: (name: string) => Random;
  readonly log?: (line: string) => void;
}

export interface Tortured {
  /** Kills by what was killed where. */
  readonly kills: ReadonlyMap<string, number>;
  /** Points at which nothing was killed, of those that were asked for. */
  readonly missed: readonly string[];
  /** The last one, which covers everything; or the first that is not clean. */
  readonly verdict: Verdict;
}

/** A recorder that has not come by its point once the fate of so many rows is known is killed where it is; one at random after fewer. */
const REACH_ROWS = 4_000;
const RARE_ROWS = 12_000;
/** On a machine that is busy with other things. */
const REACH_MS = 40_000;
const STAND_MS = 100;
const RANDOM_ROWS_MAX = 1_500;
/** On a machine that is busy with other things. */
const PROGRESS_MS = 20_000;
const LOOK_MS = 3;
/** A point is passed so often before it kills, at most. */
const NTH_MAX = 3;
const AWAY_MAX_MS = 500;
/** Of all kills. */
const ENGINE_PART = 0.2;
const ENGINE_LIFE_MIN_MS = 1_500;
const FAULTS = [resetBeforeStore, resetAfterStore, cutAnswer];
const AT_RANDOM = "at random";
/** A command that tries dead letters again and is not killed at its point dies within so long. */
const RETRY_MAX_MS = 2_000;

export async function torture(options: TortureOptions): Promise<Tortured> {
  const run = new Torture(options);
  const every = options.judgeEvery ?? options.kills;
  for (let killed = 0; killed < options.kills; killed += every) {
    await run.killSome(Math.min(every, options.kills - killed));
    const verdict = await run.settleAndJudge();
    options.log?.(`${killed + every} kills: ${verdict.stored} stored, ${violations(verdict)} violations`);
    run.verdict = verdict;
    if (violations(verdict) > 0) break;
  }
  return { kills: run.kills, missed: run.missed, verdict: run.verdict! };
}

class Torture {
  readonly kills = new Map<string, number>();
  verdict: Verdict | undefined;
  readonly #options: TortureOptions;
  readonly #fire: EngineUnderFire;
  readonly #randoms: ReadonlyMap<string, Random>;
  /** How often each point was tried, by lane. */
  readonly #tries = new Map<string, number>();
  #left = 0;

  constructor(options: TortureOptions) {
    this.#options = options;
    this.#fire = new EngineUnderFire(options.engine);
    const names = ["engine", ...options.lanes.map(({ name }) => name)];
    this.#randoms = new Map(names.map((name) => [name, options.randomOf(name)]));
  }

  get missed(): readonly string[] {
    const { lanes, points = POINTS } = this.#options;
    return points.filter((point) => lanes.every(({ name }) => !this.kills.has(`${name} ${point}`)));
  }

  async killSome(kills: number): Promise<void> {
    this.#left = kills;
    await Promise.all([
      this.#killEngine(),
      this.#loseAnswers(),
      ...this.#options.lanes.map((lane) => this.#killLane(lane)),
    ]);
    await this.#fire.up();
  }

  async settleAndJudge(): Promise<Verdict> {
    const { lanes, clickhouse } = this.#options;
    await Promise.all(
      lanes.map(async (lane) => {
        await settle(lane);
        await retryLetters(lane);
      }),
    );
    return await judgeLanes(clickhouse, lanes);
  }

  async #killEngine(): Promise<void> {
    const random = this.#randoms.get("engine")!;
    for (let left = Math.floor(this.#left * ENGINE_PART); left > 0; left -= 1) {
      await delay(ENGINE_LIFE_MIN_MS + random.below(ENGINE_LIFE_MIN_MS));
      if (this.#left > 0 && this.#fire.kill(random.below(AWAY_MAX_MS))) this.#count("engine");
    }
  }

  /** INSERTs whose answer never comes, or that never arrive. */
  async #loseAnswers(): Promise<void> {
    const { proxy } = this.#options;
    const random = this.#randoms.get("engine")!;
    while (this.#left > 0) {
      proxy.on({ skip: random.below(10) }, random.of(FAULTS));
      // It keeps every request it saw.
      proxy.requests.length = 0;
      await delay(100 + random.below(400));
    }
    proxy.clear();
  }

  async #killLane(lane: Lane): Promise<void> {
    const random = this.#randoms.get(lane.name)!;
    while (this.#left > 0) {
      const point = this.#nextPoint(lane, random);
      const nth = RARE_POINTS.has(point) ? 1 : 1 + random.below(NTH_MAX);
      const victim = lane.start(point === AT_RANDOM || point === RETRY_POINT ? undefined : `${point}:${nth}`);
      if (await this.#isReady(lane, victim)) {
        if (point === RETRY_POINT) await this.#killRetry(lane, victim, random);
        else {
          if (lane.hasThread && random.below(3) === 0) {
            await progress(lane, victim, random.below(RANDOM_ROWS_MAX));
            victim.order(random.below(2) === 0 ? "kill thread" : "kill thread when logged");
            this.#count(`${lane.name}'s thread`);
          }
          if (point === AT_RANDOM) await progress(lane, victim, random.below(RANDOM_ROWS_MAX));
          else await reach(victim, RARE_POINTS.has(point) ? RARE_ROWS : REACH_ROWS);
        }
      }
      const at = victim.isAlive ? AT_RANDOM : point;
      if (random.below(6) === 0 && this.#fire.kill(random.below(AWAY_MAX_MS))) this.#count("engine with it");
      await victim.kill();
      requireKilled(lane, victim);
      this.#count(`${lane.name} ${at}`);
    }
  }

  /** A random moment, or each point in turn. */
  #nextPoint(lane: Lane, random: Random): string {
    const points = (this.#options.points ?? POINTS).filter((point) => lane.passes(point));
    if (points.length === 0 || random.below(4) === 0) return AT_RANDOM;
    const triesOf = (point: string): number => this.#tries.get(`${lane.name} ${point}`) ?? 0;
    const fewest = Math.min(...points.map(triesOf));
    const point = random.of(points.filter((each) => triesOf(each) === fewest));
    this.#tries.set(`${lane.name} ${point}`, fewest + 1);
    return point;
  }

  /**
   * Dead letters are sent again beside a recorder that has brought what it found, and that is cut short: twice at its point, once at
   * any moment.
   */
  async #killRetry(lane: Lane, recorder: Victim, random: Random): Promise<void> {
    await recorder.told("replayed", PROGRESS_MS);
    await progress(lane, recorder, REACH_ROWS);
    if (!recorder.isAlive) return;
    const isAtPoint = random.below(3) > 0;
    const command = lane.retry(isAtPoint ? `${RETRY_POINT}:1` : undefined);
    await command.died(isAtPoint ? PROGRESS_MS : random.below(RETRY_MAX_MS));
    const at = command.isAlive ? "retry at random" : RETRY_POINT;
    await command.kill();
    if (command.exitCode === null) this.#count(`${lane.name} ${at}`);
  }

  /** Whether it got so far; it did not if a point killed it on the way. */
  async #isReady(lane: Lane, victim: Victim): Promise<boolean> {
    const ready = await victim.told("ready", START_MS);
    if (ready !== undefined) await lane.serve(victim);
    else if (victim.isAlive) throw new Error(`${lane.name} does not start:\n${victim.output}`);
    else requireKilled(lane, victim);
    return ready !== undefined;
  }

  #count(what: string): void {
    this.#left -= 1;
    this.kills.set(what, (this.kills.get(what) ?? 0) + 1);
    this.#options.log?.(`killed ${what}`);
  }
}

/** Until it is dead, or has come so far with so many rows that it should have come by its point. */
async function reach(victim: Victim, rows: number): Promise<void> {
  const end = performance.now() + REACH_MS;
  while (performance.now() < end && (victim.latest<Standing>("standing")?.known ?? 0) < rows) {
    victim.order("stand");
    if (await victim.died(STAND_MS)) return;
  }
}

/** Until so many rows of its life are acknowledged, or it is dead. */
export async function progress(lane: Lane, victim: Victim, rows: number): Promise<void> {
  const end = performance.now() + PROGRESS_MS;
  while (victim.isAlive && lane.progress(victim) < rows && performance.now() < end) await delay(LOOK_MS);
}

/** A recorder that ended in another way than by SIGKILL has a fault of its own. */
function requireKilled(lane: Lane, victim: Victim): void {
  if (victim.exitCode !== null)
    throw new Error(`${lane.name} ended by itself with ${victim.exitCode}:\n${victim.output}`);
}

/** What is stored of all that these lanes offered; call after {@link settle}. */
export async function judgeLanes(clickhouse: ClickHouse, lanes: readonly Lane[]): Promise<Verdict> {
  return await judge(
    clickhouse,
    lanes.flatMap(({ ledgers }) => ledgers),
    lanes.map(({ folder }) => join(folder, "dead-letters")),
  );
}
