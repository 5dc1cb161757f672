import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { startTestEngine } from "../support/engine.js";
import { TYPES } from "./all-types.js";
import { throughEngine } from "./through-engine.js";
import { decimalNumberCase, type TypeCase } from "./values.js";

const ROWS = 2000;
/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
const { clickhouse } = await startTestEngine({ after });

describe("the engine reads every value of our blocks as it was given", () => {
  for (const { type, samples, read } of TYPES) {
    test(type, () => agree(type, samples, read));
  }
});

describe("a number in a decimal column is the double's exact value, rounded half to even", () => {
  for (const [precision, scale] of [
    [9, 0],
    [9, 4],
    [18, 0],
    [18, 8],
    [18, 17],
    [38, 8],
    [38, 18],
    [76, 40],
  ] as const) {
    const { type, samples, read } = decimalNumberCase(`Decimal(${precision}, ${scale})`, precision, scale);
    test(type, () => agree(type, samples, read));
  }
});

async function agree(type: string, samples: TypeCase["samples"], read: string): Promise<void> {
  const list = fc.sample(samples, { numRuns: ROWS, seed });
  const values = list.map(({ given }) => given);
  const got = await throughEngine(clickhouse, type, values, read);
  assert.equal(got.length, ROWS);
  for (const [index, { given, want }] of list.entries()) {
    assert.deepEqual(got[index], want, `seed ${seed}: ${inspect(given)} became ${inspect(got[index])}`);
  }
}
