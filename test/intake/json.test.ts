import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseObject, parseValue } from "../../src/intake/json.js";
import { LineError } from "../../src/intake/line-error.js";
import { NumberText } from "../../src/native/number-text.js";

/** The value with numbers as JSON.parse gives them. */
function asNumbers(value: unknown): unknown {
  if (value instanceof NumberText) return JSON.parse(value.text);
  if (Array.isArray(value)) return value.map(asNumbers);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: asNumbers(inner),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}

function outcome(parse: () => unknown): { value: unknown } | "refused" {
  try {
    return { value: parse() };
  } catch (error) {
    if (error instanceof LineError || error instanceof SyntaxError) return "refused";
    throw error;
  }
}

test("every JSON value is read as JSON.parse reads it, but for numbers kept as text", () => {
  fc.assert(
    fc.property(fc.json({ depthSize: "medium", stringUnit: "grapheme" }), fc.nat(3), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      assert.deepEqual(asNumbers(parseValue(spaced)), JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test("damaged JSON is refused exactly where JSON.parse refuses it", () => {
  const characters = [...'{}[],:"\\ \t\r\n-+.eE0123456789\u0001é'];
  const parts = fc.constantFrom(...characters, "true", "false", "null", "u00e9");
  const edit = fc.record({ at: fc.nat(60), cut: fc.nat(3), put: fc.array(parts, { maxLength: 3 }) });
  const seed = fc.constantFrom(
    '{"a":1.50,"b":[1,-2e3,0.1E-7],"c":{"d":"x\\ny","e":null}}',
    '["\\u00e9\\"",true,false,{"":0}]',
    '{"price":"61800.20","n":-0}',
  );
  fc.assert(
    fc.property(seed, fc.array(edit, { maxLength: 3 }), (text, edits) => {
      let damaged: string = text;
      for (const { at, cut, put } of edits)
        damaged = damaged.slice(0, at) + put.join("") + damaged.slice(at + cut);
      const theirs = outcome(() => JSON.parse(damaged));
      const ours = outcome(() => asNumbers(parseValue(damaged)));
      // We refuse two things more, which have tests of their own.
      if (ours === "refused" && theirs !== "refused") {
        assert.throws(() => parseValue(damaged), /gives a key twice|has no UTF-8 form/);
      } else {
        assert.deepEqual(ours, theirs);
      }
    }),
    { numRuns: 3000 },
  );
});

test("numbers keep every digit", () => {
  const row = parseObject('{"id": 9007199254740993, "px": 1284.40500000, "tiny": -1.5e-7}');
  assert.deepEqual(
    Object.values(row).map((number) => (number as NumberText).text),
    ["9007199254740993", "1284.40500000", "-1.5e-7"],
  );
});

test("a key given twice is refused, also with the same value and inside a value", () => {
  for (const line of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"m":{"x":1,"y":2,"x":3}}']) {
    assert.throws(() => parseObject(line), { reason: "gives a key twice" });
  }
});

test("a key __proto__ is a key like any other", () => {
  const row = parseObject('{"__proto__":{"symbol":"EVIL"},"constructor":1}');
  assert.deepEqual(Object.keys(row), ["__proto__", "constructor"]);
  assert.equal(row["symbol"], undefined);
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
});

test("nesting beyond 32 levels is refused without a deep stack", () => {
  const nested = (levels: number): string => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  parseObject(nested(32));
  for (const levels of [33, 500_000]) {
    assert.throws(() => parseObject(nested(levels)), { reason: "is nested too deeply" });
  }
});

test("what is no object, or half a character, is refused with its reason", () => {
  const cases: [line: string, message: RegExp][] = [
    ["[1]", /^is not a JSON object$/],
    ["7", /^is not a JSON object$/],
    ['{"a":1} x', /^is broken JSON: expected the end at character 9$/],
    ['{"a":1', /^is broken JSON: expected ',' or '}' at its end$/],
    ['{"a":01}', /^is broken JSON: expected ',' or '}' at character 7$/],
    ['{"a":NaN}', /^is broken JSON: expected a value at character 6$/],
    ['{"a":"x', /^is broken JSON: expected a closing quote at its end$/],
    ['{"a":"x\ty"}', /^is broken JSON: expected no bare control character at character 8$/],
    ["{'a':1}", /^is broken JSON: expected a key in quotes at character 2$/],
    ['{"a":"\\ud800"}', /^has text that has no UTF-8 form: "\\ud800"$/],
    ['{"a":"\\x41"}', /^is broken JSON: bad escape in the text at character 6$/],
  ];
  for (const [line, message] of cases) {
    assert.throws(
      () => parseObject(line),
      (error) => error instanceof LineError && message.test(error.message),
      line,
    );
  }
});
