import assert from "node:assert/strict";
import { test } from "node:test";
import { ClickHouseError, UnreachableError } from "../../src/clickhouse/error.js";
import { type AnswerClass, classify } from "../../src/sink/answers.js";

/** The error codes as the design's sources group them, apart from those that need a word of their own. */
const CODES: Readonly<Partial<Record<AnswerClass, readonly number[]>>> = {
  // biome-ignore format: one line of codes each
  retry: [
    3, 159, 202, 203, 209, 210, 242, 285, 425, 999, 1002, 95, 96, 97, 107, 160, 198, 204, 225, 236, 254, 265, 279,
    286, 364, 369, 373, 394, 410, 439, 473, 499, 1000, 1001, 164, 32, 33, 40,
  ],
  retry_slowly: [201, 241, 243],
  ask: [216, 319],
  done: [389],
  split: [158, 229, 307, 396],
  // biome-ignore format: one line of codes each
  pause: [8, 10, 16, 20, 60, 81, 115, 192, 193, 194, 195, 218, 291, 452, 472, 497, 511, 516],
  // biome-ignore format: one line of codes each
  poison: [6, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 376, 407, 441, 467, 469, 691],
  our_bug: [36, 42, 43, 44, 46, 47, 48, 49, 50, 62, 73, 80, 85, 271],
  unknown: [1, 2, 77, 31337],
};

function answer(code: number, message = "Something"): ClickHouseError {
  return new ClickHouseError(code, "", 500, `Code: ${code}. DB::Exception: ${message}.`);
}

for (const [name, codes] of Object.entries(CODES)) {
  test(`${codes.length} codes are ${name}`, () => {
    for (const code of codes) assert.equal(classify(answer(code)).class, name, `code ${code}`);
  });
}

test("too many parts and too many partitions share a code and are told apart by their text", () => {
  const parts = answer(252, "Too many parts (3000 with average size of 1.00 MiB) in table 't'");
  const partitions = answer(252, "Too many partitions for single INSERT block (more than 100)");
  assert.equal(classify(parts).class, "slow_down");
  assert.equal(classify(partitions).class, "split");
});

test("answers that become another class when they repeat", () => {
  const limits = [32, 33, 40, 164, 241, 31337].map((code) => [code, classify(answer(code)).limit]);
  assert.deepEqual(limits, [
    [32, { times: 2, become: "our_bug" }],
    [33, { times: 2, become: "our_bug" }],
    [40, { times: 2, become: "our_bug" }],
    [164, { times: 4, become: "pause" }],
    [241, { times: 2, become: "split" }],
    [31337, { times: 5, become: "pause" }],
  ]);
});

test("a view that fails pauses the table whatever the code, and the rows count as maybe stored", () => {
  for (const code of [6, 691, 62, 60, 158, 33, 31337]) {
    const verdict = classify(answer(code, "Cannot parse: while pushing to view d.mv"));
    assert.deepEqual([verdict.class, verdict.mayBeStored], ["pause", true], `code ${code}`);
  }
  // What passes by itself does so in a view too.
  assert.equal(classify(answer(241, "Memory limit: while pushing to view d.mv")).class, "retry_slowly");
});

test("only an answer that comes before anything is written says that nothing is stored", () => {
  for (const name of ["retry", "retry_slowly", "ask", "done", "unknown"] as const) {
    const maybe = CODES[name]!.filter((code) => ![164, 32, 33, 40].includes(code));
    for (const code of maybe) assert.equal(classify(answer(code)).mayBeStored, true, `code ${code}`);
  }
  for (const name of ["split", "pause", "poison", "our_bug"] as const)
    for (const code of CODES[name]!) assert.equal(classify(answer(code)).mayBeStored, false, `code ${code}`);
});

test("what has no ClickHouse error is told by status and by whether anything was sent", () => {
  const of = (options: ConstructorParameters<typeof UnreachableError>[1]): unknown[] => {
    const { class: name, code, mayBeStored } = classify(new UnreachableError("gone", options));
    return [name, code, mayBeStored];
  };
  assert.deepEqual(of({ neverSent: true }), ["retry", "no_connection", false]);
  assert.deepEqual(of({}), ["retry", "no_answer", true]);
  for (const status of [408, 429, 502, 503, 504])
    assert.deepEqual(of({ status }), ["retry", `http_${status}`, true]);
  assert.deepEqual(of({ status: 413 }), ["split", "http_413", false]);
  for (const status of [401, 403, 404, 405, 407, 411])
    assert.deepEqual(of({ status }), ["pause", `http_${status}`, false]);
  for (const status of [301, 302, 303, 307, 308])
    assert.deepEqual(of({ status }), ["pause", `http_${status}`, true]);
  for (const status of [200, 400, 500]) assert.deepEqual(of({ status }), ["unknown", `http_${status}`, true]);
});

test("an error that is neither counts as unknown and maybe stored", () => {
  const { class: name, code, mayBeStored } = classify(new TypeError("oops"));
  assert.deepEqual([name, code, mayBeStored], ["unknown", "other", true]);
});
