import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CsvReader } from "../../src/intake/csv.js";
import type { CsvFields } from "../../src/intake/csv-fields.js";
import { LineError } from "../../src/intake/line-error.js";
import { BadLine, type Line } from "../../src/intake/lines.js";
import type { ReadRecord } from "../../src/intake/record-reader.js";

const DIALECT = { delimiter: ",", quote: '"' };

function read(lines: readonly Line[], maxChars = 1000): ReadRecord[] {
  const reader = new CsvReader(DIALECT, maxChars);
  return [...reader.read(lines), ...reader.end()];
}

/** `line: fields` of good records, `line: reason` of the others. */
function told(records: readonly ReadRecord[]): string[] {
  return records.map(({ line, value }) =>
    value instanceof LineError
      ? `${line}: ${value.message}`
      : `${line}: ${JSON.stringify((value as CsvFields).texts)}`,
  );
}

test("what RFC 4180 writes is read back, whatever the fields hold and wherever the lines are handed over", () => {
  const field = fc.string({
    unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r\n", " ", "1"),
    maxLength: 6,
  });
  const written = fc.tuple(field, fc.boolean()).map(([text, quoted]) => {
    const must = /[",\n\r]/.test(text);
    return { text, source: quoted || must ? `"${text.replaceAll('"', '""')}"` : text };
  });
  const record = fc.array(written, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(record), fc.constantFrom("\n", "\r\n"), fc.nat(5), (records, newline, step) => {
      const lines = records
        .map((each) => each.map(({ source }) => source).join(",") + newline)
        .join("")
        .split("\n");
      if (lines.at(-1) === "") lines.pop();
      const reader = new CsvReader(DIALECT, 1000);
      const found: ReadRecord[] = [];
      for (let from = 0; from < lines.length; from += step + 1) {
        found.push(...reader.read(lines.slice(from, from + step + 1)));
      }
      found.push(...reader.end());
      assert.deepEqual(
        found.map(({ value }) => (value as CsvFields).texts),
        records.map((each) => each.map(({ text }) => text)),
      );
      const quotedEmpty = records.map((each) =>
        each.flatMap(({ text, source }, i) => (text === "" && source !== "" ? [i] : [])),
      );
      assert.deepEqual(
        found.map(({ value }) => (value as CsvFields).quotedEmpty),
        quotedEmpty,
      );
    }),
    { numRuns: 500 },
  );
});

test("a record over several lines has the number and the bytes of all of them", () => {
  const [first, second] = read(["a,b", '1,"x', "", 'y"', "2,z"]).slice(1);
  assert.deepEqual([first?.line, first?.raw], [2, '1,"x\n\ny"']);
  assert.deepEqual((first!.value as CsvFields).texts, ["1", "x\n\ny"]);
  assert.deepEqual([second?.line, second?.raw], [5, "2,z"]);
});

test("blank lines are no records but count as lines", () => {
  assert.deepEqual(told(read(["", "a,b", "\r", "c,d"])), ['2: ["a","b"]', '4: ["c","d"]']);
});

test("a fault in quotes costs one line, and reading goes on with the next", () => {
  const cases: [lines: string[], told: string[]][] = [
    [
      ['1,a"b', "2,c"],
      ['1: has a quote inside a field without quotes: a"b', '2: ["2","c"]'],
    ],
    [
      ['1,"a"b', "2,c"],
      ["1: has text after a closing quote: b", '2: ["2","c"]'],
    ],
    [
      ['1,"a', "2,b", "3,c"],
      ["1: has a quote that does not close: before the end of the file", '2: ["2","b"]', '3: ["3","c"]'],
    ],
    [
      ['1,"a', '2,"b"', "3,c"],
      ['1: has text after a closing quote: b"', '2: ["2","b"]', '3: ["3","c"]'],
    ],
  ];
  for (const [lines, expected] of cases) assert.deepEqual(told(read(lines)), expected);
});

test("a quote that does not close within the limit costs its line and not the file", () => {
  const lines = ['1,"a', ...Array.from({ length: 50_000 }, (_, i) => `${i},b`)];
  const records = read(lines, 100_000);
  assert.equal(records.length, lines.length);
  assert.equal(told(records)[0], "1: has a quote that does not close: within 100000 characters");
  assert.equal(records.filter(({ value }) => value instanceof LineError).length, 1);
});

test("an unreadable line inside a quoted field costs both lines", () => {
  const lines = ['1,"a', new BadLine("is not valid UTF-8", Buffer.from([0xff])), "2,b"];
  assert.deepEqual(told(read(lines)), [
    "1: has a quote that does not close: before an unreadable line",
    "2: is not valid UTF-8",
    '3: ["2","b"]',
  ]);
});

test("another delimiter and another quote are taken literally", () => {
  const reader = new CsvReader({ delimiter: "|", quote: "'" }, 100);
  const records = reader.read(["a|'b|c'|\"d,e\"", "''|x|"]);
  assert.deepEqual(told(records), ['1: ["a","b|c","\\"d,e\\""]', '2: ["","x",""]']);
});
