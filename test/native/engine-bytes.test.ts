import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { BlockBuilder } from "../../src/native/block.js";
import { startTestEngine } from "../support/engine.js";
import { fixedStringCase, ipv4Case, ipv6Case, tupleCase, uuidCase } from "./more-values.js";
import { bodyOf, column, createTable, insertJson } from "./through-engine.js";
import {
  arrayCase,
  dateCase,
  decimalCase,
  enumCase,
  integerCase,
  jsonOf,
  nullableCase,
  type TypeCase,
} from "./values.js";

const ROWS = 500;
const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
const { clickhouse } = await startTestEngine({ after });

/** The block the engine writes for values that it read from JSON text itself. */
async function engineBlock(type: string, values: readonly unknown[]): Promise<Buffer> {
  const table = await createTable(clickhouse, [column("v", type)]);
  await insertJson(
    clickhouse,
    table,
    values.map((v) => ({ v })),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of await clickhouse.stream(`SELECT v FROM ${table} FORMAT Native`))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Of types without a LowCardinality, whose dictionary may be written in more ways than one. */
const NUMBERS: readonly TypeCase[] = [
  ...[8, 16, 32, 64, 128, 256].map((bits) => integerCase(`Int${bits}`, bits, true)),
  integerCase("UInt64", 64, false),
  decimalCase("Decimal(9, 2)", 9, 2),
  decimalCase("Decimal(18, 8)", 18, 8),
  decimalCase("Decimal(38, 8)", 38, 8),
  decimalCase("Decimal(76, 30)", 76, 30),
  dateCase("Date", 0, 65_535),
  dateCase("Date32", -25_567, 120_529),
  enumCase("Enum8('a' = -1, 'b' = 5)", { a: -1, b: 5 }),
];
const OTHERS: readonly TypeCase[] = [
  uuidCase(),
  ipv4Case(),
  ipv6Case(),
  fixedStringCase(1),
  fixedStringCase(20),
];
const TYPES: readonly TypeCase[] = [...NUMBERS, ...OTHERS];
const level = tupleCase(
  [decimalCase("Decimal(18, 8)", 18, 8), nullableCase(uuidCase()), arrayCase(ipv6Case())],
  ["px", "order id", "ip"],
);

describe("our block of the same values has the same bytes as the engine's", () => {
  for (const { type, samples } of [
    ...TYPES,
    ...TYPES.map(nullableCase),
    ...[...NUMBERS.slice(0, 9), ...OTHERS].map(arrayCase),
    level,
    arrayCase(level),
    tupleCase([fixedStringCase(3), tupleCase([uuidCase(), level])]),
  ]) {
    test(type, async () => {
      const list = fc.sample(samples, { numRuns: ROWS, seed });
      const builder = new BlockBuilder([column("v", type)]);
      for (const { given } of list) builder.append({ v: given }, {});
      const want = await engineBlock(type, list.map(jsonOf));
      assert(builder.encode().equals(want), `seed ${seed}`);
    });
  }
});

describe("docs/reference/formats/native.md shows the bytes", async () => {
  const page = await readFile(new URL("../../../docs/reference/formats/native.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([0-9a-f ]+)` \|/gm)].map(
    ([, type = "", values = "", bytes = ""]) => ({ type, values: JSON.parse(values) as unknown[], bytes }),
  );
  assert(examples.length >= 15, "the table of examples was found");
  for (const { type, values, bytes } of examples) {
    test(`that we write for ${type}`, () => {
      assert.equal(bodyOf(type, values).toString("hex"), bytes.replaceAll(" ", ""));
    });
    if (type.includes("LowCardinality")) continue;
    test(`that the engine writes for ${type}`, async () => {
      const block = await engineBlock(type, values);
      assert.equal(
        block.subarray(-bytes.replaceAll(" ", "").length / 2).toString("hex"),
        bytes.replaceAll(" ", ""),
      );
    });
  }
});
