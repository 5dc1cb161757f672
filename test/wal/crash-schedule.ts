import { type Random, seeded } from "../support/random.js";
import { CrashModel } from "./crash-model.js";

const ERRORS = ["EIO", "ENOSPC", "EROFS", "EMFILE", "EACCES"] as const;

export interface ScheduleTold {
  readonly crashes: number;
  readonly commits: number;
  readonly failures: number;
}

/** A life of a log: some lives of its process, each ended by a crash, on a disk that fails now and then. */
export function runSchedule(random: Random, lying = false): ScheduleTold {
  const model = new CrashModel(random);
  model.disk.lying = lying;
  const lives = 3 + random.below(3);
  for (let life = 0; life < lives; life++) {
    model.open();
    disturb(model, random);
    for (let step = 0; step < 10 + random.below(30); step++) act(model, random);
    crash(model, random);
    // The recovery dies too, at any of its calls.
    if (random() < 0.4) {
      disturb(model, random);
      model.tryToOpen();
      crash(model, random);
    }
  }
  model.open();
  return { crashes: lives, commits: model.commits, failures: model.failures };
}

function act(model: CrashModel, random: Random): void {
  const choice = random();
  if (choice < 0.5) model.append();
  else if (choice < 0.8) model.commit();
  else if (choice < 0.86) model.saveCursor();
  else if (choice < 0.91) model.trim(false);
  else if (choice < 0.96) model.trim(true);
  else if (choice < 0.98) model.tend();
  else disturb(model, random);
}

function disturb({ disk }: CrashModel, random: Random): void {
  const code = random.of(ERRORS);
  const from = disk.calls + random.below(60);
  const until = random() < 0.5 ? from : from + random.below(40);
  const kind = random.below(4);
  disk.taken = (length) => length;
  disk.fault = () => undefined;
  if (kind === 1) disk.fault = (call) => (call >= from && call <= until ? code : undefined);
  if (kind === 2) disk.taken = (length) => random.below(length + 1);
  if (kind === 3)
    disk.fault = (call, operation) => (operation === "datasync" && call % 3 === 0 ? "EIO" : undefined);
}

function crash(model: CrashModel, random: Random): void {
  const choice = random();
  if (choice < 0.2) model.close();
  if (choice < 0.5) model.disk.kill();
  else model.disk.losePower(random);
}

/** Runs each seed, which a failure names. */
export function runSchedules(seeds: readonly number[]): ScheduleTold {
  const sum = { crashes: 0, commits: 0, failures: 0 };
  for (const seed of seeds) {
    try {
      const told = runSchedule(seeded(seed));
      sum.crashes += told.crashes;
      sum.commits += told.commits;
      sum.failures += told.failures;
    } catch (error) {
      throw new Error(`COLDPATH_TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  return sum;
}
