import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { TYPES } from "./all-types.js";
import { throughEngine } from "./through-engine.js";
import { decimalNumberCase, type TypeCase } from "./values.js";

/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);

/** Tests that the engine has each of so many random values of each type as it was given. */
export function testStoredAsGiven(clickhouse: ClickHouse, rows: number): void {
  describe("the engine reads every value of our blocks as it was given", () => {
    for (const { type, samples, read } of TYPES) {
      test(type, () => agree(clickhouse, rows, type, samples, read));
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
      test(type, () => agree(clickhouse, rows, type, samples, read));
    }
  });
}

async function agree(
  clickhouse: ClickHouse,
  rows: number,
  type: string,
  samples: TypeCase["samples"],
  read: string,
): Promise<void> {
  const list = fc.sample(samples, { numRuns: rows, seed });
  const values = list.map(({ given }) => given);
  const got = await throughEngine(clickhouse, type, values, read);
  assert.equal(got.length, rows);
  for (const [index, { given, want }] of list.entries()) {
    assert.deepEqual(got[index], want, `seed ${seed}: ${inspect(given)} became ${inspect(got[index])}`);
  }
}
