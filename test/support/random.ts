import type { TestContext } from "node:test";

/** Random choices that a seed determines. */
export interface Random {
  /** A number in [0, 1). */
  (): number;
  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number;
  of<T>(choices: readonly T[]): T;
  /** Any signed integer of 64 bits. */
  bits64(): bigint;
}

/** Choices by the seed in the environment, else by a new one; either is printed with the test. */
export function randomOf(context: TestContext): Random {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  context.diagnostic(`SEED=${seed}`);
  return seeded(seed);
}

/** Choices by this seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return Object.assign(next, {
    below,
    of: <T>(choices: readonly T[]): T => choices[below(choices.length)]!,
    bits64: (): bigint => BigInt.asIntN(64, (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32))),
  });
}

/** `COLDPATH_TEST_SEED=n` replays one run of a random test, `COLDPATH_RUNS=n` makes so many. */
const { COLDPATH_TEST_SEED: SEED, COLDPATH_RUNS: RUNS } = process.env;

/** The seeds of a random test: fresh ones, unless one is given. */
export function seeds(runs = 3): readonly number[] {
  if (SEED !== undefined) return [Number(SEED)];
  return [...Array(Number(RUNS ?? runs))].map(() => Math.floor(Math.random() * 2 ** 31));
}
