import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { BlockBuilder, ValueError } from "../../src/native/block.js";
import { startTestEngine } from "../support/engine.js";
import {
  fixedStringCase,
  ipv4Case,
  ipv6Case,
  ipv6Texts,
  lowCardinalityOf,
  tupleCase,
  uuidCase,
} from "./more-values.js";
import { column, createTable, insertBlock, insertJson, readBack } from "./through-engine.js";
import {
  arrayCase,
  boolCase,
  dateCase,
  decimalCase,
  enumCase,
  integerCase,
  jsonOf,
  lowCardinalityCase,
  nullableCase,
  type TypeCase,
} from "./values.js";

const ROWS = 300;
/** `SEED=n` repeats a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
const { clickhouse } = await startTestEngine({ after });

interface Pair {
  /** What our builder is given, and the same as JSON for the engine. */
  readonly given: unknown;
  readonly json: unknown;
}

/** Stores the pairs twice, encoded by us and as the engine reads them, and gives the rows that only one side has. */
async function differences(type: string, pairs: readonly Pair[]): Promise<unknown[][]> {
  const columns = [column("i", "UInt32"), column("v", type)];
  const [ours, theirs] = [await createTable(clickhouse, columns), await createTable(clickhouse, columns)];
  const builder = new BlockBuilder(columns);
  for (const [i, { given }] of pairs.entries()) builder.append({ i, v: given }, {});
  await insertBlock(clickhouse, ours, builder.encode());
  await insertJson(
    clickhouse,
    theirs,
    pairs.map(({ json }, i) => ({ i, v: json })),
  );
  for (const table of [ours, theirs]) {
    assert.deepEqual(await readBack(clickhouse, table, "count()"), [[`${pairs.length}`]]);
  }
  const only = (a: string, b: string): string =>
    `SELECT i, toString(v) FROM (SELECT * FROM ${a} EXCEPT SELECT * FROM ${b})`;
  return readBack(clickhouse, `(${only(ours, theirs)} UNION ALL ${only(theirs, ours)})`, "*", "1");
}

const uuid = uuidCase();
const ipv4 = ipv4Case();
const ipv6 = ipv6Case();
const code = fixedStringCase(7);
const symbol = lowCardinalityCase("LowCardinality(String)");
const size = integerCase("UInt64", 64, false);
const price = decimalCase("Decimal(38, 8)", 38, 8);
const side = enumCase("Enum8('buy' = 1, 'sell' = -1)", { buy: 1, sell: -1 });
const level = tupleCase([price, nullableCase(size), symbol], ["px", "size", "maker id"]);

const TYPES: readonly TypeCase[] = [
  ...[uuid, ipv4, ipv6, code].flatMap((each) => [
    each,
    nullableCase(each),
    arrayCase(nullableCase(each)),
    lowCardinalityOf(each),
    nullableCase(lowCardinalityOf(each)),
    arrayCase(nullableCase(lowCardinalityOf(each))),
  ]),
  ...[size, integerCase("Int8", 8, true), dateCase("Date", 0, 65_535), boolCase()].map(lowCardinalityOf),
  arrayCase(symbol),
  arrayCase(arrayCase(nullableCase(price))),
  level,
  arrayCase(level),
  tupleCase([uuid, side, arrayCase(level)]),
];

describe("our block stores what the engine stores when it reads the same text", () => {
  for (const { type, samples } of TYPES) {
    test(type, async () => {
      const list = fc.sample(samples, { numRuns: ROWS, seed });
      const pairs = list.map((sample) => ({ given: sample.given, json: jsonOf(sample) }));
      assert.deepEqual(await differences(type, pairs), [], `seed ${seed}`);
    });
  }
});

/** A text with one character put in, taken out or replaced, as typing errors are. */
function spoiled(texts: fc.Arbitrary<string>, characters: string): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.nat(50), fc.constantFrom("", ...characters), fc.nat(1))
    .map(([text, at, put, taken]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + taken);
    });
}

describe("no text is taken that the engine would not take, or takes for another value", () => {
  const bytes = (count: number): fc.Arbitrary<Uint8Array> =>
    fc
      .array(fc.constantFrom(0, 0, 1, 10, 0xdb, 0xff), { minLength: count, maxLength: count })
      .map((list) => Uint8Array.from(list));
  const texts: readonly (readonly [string, fc.Arbitrary<string>])[] = [
    ["UUID", spoiled(fc.uuid(), "0fgF-{ ")],
    ["IPv4", spoiled(fc.ipV4(), "012569.: -")],
    [
      "IPv6",
      spoiled(
        bytes(16).chain((each) => fc.constantFrom(...ipv6Texts(each))),
        "01:fFg. %[",
      ),
    ],
  ];
  for (const [type, samples] of texts) {
    test(type, async () => {
      const builder = new BlockBuilder([column("v", type)]);
      const taken: string[] = [];
      for (const text of fc.sample(samples, { numRuns: 2000, seed })) {
        try {
          builder.append({ v: text }, {});
          taken.push(text);
        } catch (error) {
          assert(error instanceof ValueError);
        }
      }
      assert(taken.length > 100 && taken.length < 1900, `${taken.length} taken`);
      const pairs = taken.map((text) => ({ given: text, json: text }));
      assert.deepEqual(await differences(type, pairs), [], `seed ${seed}`);
    });
  }
});

describe("what the engine would mend in silence is refused", () => {
  for (const [type, value, mended] of [
    ["UInt8", 256, "0"],
    ["UInt64", "18446744073709551616", "0"],
    ["Array(UInt8)", [1, 257], "[1,1]"],
    ["LowCardinality(Int8)", 128, "-128"],
    ["Tuple(px Int8, size String)", { px: 5 }, "(5,'')"],
    ["Tuple(px Int8, size String)", { px: 5, size: "a", szie: "b" }, "(5,'a')"],
    ["Tuple(px Int8, size LowCardinality(String))", {}, "(0,'')"],
    ["Array(Tuple(px Int8))", [{ px: 1 }, {}], "[(1),(0)]"],
    ["IPv4", "010.0.0.1", "10.0.0.1"],
    ["IPv6", "1:::2", "1::2"],
    ["IPv6", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["DateTime('UTC')", "2106-02-07 06:28:16", "2106-02-07 06:28:15"],
  ] as const) {
    test(`${type}: ${JSON.stringify(value)} would become ${mended}`, async () => {
      const table = await createTable(clickhouse, [column("v", type)]);
      await insertJson(clickhouse, table, [{ v: value }]);
      assert.deepEqual(await readBack(clickhouse, table, "toString(v)"), [[mended]]);
      assert.throws(() => new BlockBuilder([column("v", type)]).append({ v: value }, {}), ValueError);
    });
  }
});
