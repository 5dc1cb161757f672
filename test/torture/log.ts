import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../support/random.js";
import type { LogLine, LogNews, LogStart } from "./log-child.js";
import { POINTS } from "./points.js";
import { Victim } from "./process.js";

/** What a log that was killed again and again lost, made up or has twice; empty lists: nothing. */
export interface LogVerdict {
  readonly acknowledged: number;
  readonly kills: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
}

const READY_MS = 20_000;
const REACH_MS = 700;
const LIFE_MAX_MS = 60;
const NTH_MAX = 12;
const LOG_POINTS = POINTS.filter((point) => point.startsWith("wal."));

/** Kills a writer of a log, and has the next one tell what it finds: all that was acknowledged, and nothing twice. */
export async function tortureLog(
  folder: string,
  random: Random,
  options: { readonly kills: number; readonly disk: LogStart["disk"] },
): Promise<LogVerdict> {
  const dir = join(folder, "wal");
  mkdirSync(dir);
  const frames = new Frames();
  const kills = new Map<string, number>();
  const program = new URL("./log-child.js", import.meta.url);
  const seed = random.below(2 ** 31);
  for (let life = 1; ; life += 1) {
    const isLast = life > options.kills;
    const ledger = join(folder, `ledger-${life}.ndjson`);
    const point = isLast || life % 2 === 1 ? undefined : random.of(LOG_POINTS);
    const start: LogStart = { dir, ledger, life, seed, disk: options.disk };
    const victim = new Victim(
      program,
      [JSON.stringify(start)],
      {},
      point && `${point}:${1 + random.below(NTH_MAX)}`,
    );
    const ready = await victim.told<LogNews>("ready", READY_MS);
    if (ready !== undefined && !isLast) {
      if (point === undefined) await delay(random.below(LIFE_MAX_MS));
      else await victim.died(REACH_MS);
    }
    const at = victim.isAlive ? "at random" : point!;
    await victim.kill();
    if (victim.exitCode !== null || (ready === undefined && point === undefined))
      throw new Error(`it ended by itself, or does not start:\n${victim.output}`);
    // Where the start itself was killed there is nothing to compare yet.
    const wrong = ready === undefined ? [] : frames.compare(ready);
    if (wrong.length > 0 || isLast) return { acknowledged: frames.acknowledged, kills, wrong };
    frames.take(ledger);
    kills.set(at, (kills.get(at) ?? 0) + 1);
  }
}

/** What the writers of the log said of its frames. */
class Frames {
  readonly #offered = new Map<string, string>();
  readonly #safe = new Set<string>();
  acknowledged = 0;

  take(ledger: string): void {
    for (const [what, frame, hash] of linesOf(ledger)) {
      if (what === "offered") this.#offered.set(frame, hash!);
      else if (what === "forgotten") this.#safe.delete(frame);
      else {
        this.#safe.add(frame);
        this.acknowledged += 1;
      }
    }
  }

  compare({ frames }: LogNews): string[] {
    const found = new Map(frames);
    const lost = [...this.#safe].filter((frame) => !found.has(frame)).map((frame) => `${frame} is lost`);
    const others = frames
      .filter(([frame, hash]) => this.#offered.get(frame) !== hash)
      .map(([frame]) => `${frame} was never offered like that`);
    return [...lost, ...others, ...(frames.length === found.size ? [] : ["a frame is there twice"])];
  }
}

function linesOf(path: string): LogLine[] {
  // Killed before it began to write.
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);
}
