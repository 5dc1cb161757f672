import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseMapping } from "../../src/intake/mapping/load.js";
import { MappingError } from "../../src/intake/mapping/mapping-error.js";
import { keysAt } from "../../src/intake/mapping/schema.js";
import { mapped, TABLE } from "./mapping-support.js";

const TIME = "ts: { time: t, unit: ns }";
const T = "1700000000000000000";

/** Every mistake of a mapping for the table. */
function mistakes(text: string): string[] {
  try {
    parseMapping(text, "m.yaml", TABLE);
  } catch (error) {
    assert.ok(error instanceof MappingError);
    assert.equal(error.code, "MAPPING_INVALID");
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

test("columns are renamed, and a file's column that is neither mapped nor ignored stops the file", () => {
  const mapping = `columns: { ${TIME}, symbol: sym, px: price }\nignore: [flags]`;
  assert.deepEqual(mapped(mapping, `t,sym,price,flags\n${T},A,1.50,x\n`), [
    { ts: T, symbol: "A", px: "1.50" },
  ]);
  assert.throws(
    () => mapped(mapping, `t,sym,prize,flags,extra\n`),
    (error) => {
      assert.ok(error instanceof MappingError);
      assert.deepEqual(
        error.issues.map(({ message }) => message),
        [
          "the file's column prize is neither mapped nor ignored",
          "the file's column extra is neither mapped nor ignored",
          "the file has no column price; did you mean prize?",
        ],
      );
      return true;
    },
  );
});

test("in NDJSON an unknown key costs its row", () => {
  const mapping = `format: ndjson\ncolumns: { ${TIME}, px: price }\nignore: [flags]`;
  assert.deepEqual(mapped(mapping, `{"t":${T},"price":1.50,"flags":1}\n{"t":${T},"prise":2}\n`), [
    { ts: T, px: "#1.50" },
    "has a key that is neither mapped nor ignored: prise; did you mean price?",
  ]);
});

test("constants and parts of the file's name fill columns", () => {
  const mapping = `
    files:
      - { pattern: 'b-(?<sym>\\w+)\\.csv', set: { venue: bitstamp } }
      - { pattern: 'o-(?<sym>\\w+)-.*', set: { venue: oanda } }
    columns: { ${TIME}, symbol: { file: sym, case: upper }, note: { file: venue, values: { bitstamp: BS, oanda: OA } }, id: { constant: 18446744073709551615 } }`;
  const content = `t\n${T}\n`;
  const id = "18446744073709551615";
  assert.deepEqual(mapped(mapping, content, "b-btcusd.csv"), [{ ts: T, symbol: "BTCUSD", note: "BS", id }]);
  assert.deepEqual(mapped(mapping, content, "o-xau-2014.csv"), [{ ts: T, symbol: "XAU", note: "OA", id }]);
  assert.throws(() => mapped(mapping, content, "xb-btcusd.csv"), {
    code: "INPUT_UNREADABLE",
    message: "xb-btcusd.csv: no pattern of the mapping's files fits this name",
  });
});

test("values are translated, and one that is not listed is refused", () => {
  const mapping = `columns: { ${TIME}, note: { from: side, values: { 0: buy, 1: sell, "": none } } }`;
  assert.deepEqual(mapped(mapping, `t,side\n${T},0\n${T},1\n${T},2\n${T},\n${T},""\n`), [
    { ts: T, note: "buy" },
    { ts: T, note: "sell" },
    "column note: '2' is not among the mapping's values",
    { ts: T },
    { ts: T, note: "none" },
  ]);
});

test("a scale moves the decimal point in the text", () => {
  const mapping = `columns: { ${TIME}, px: { from: p, scale: 1e-8 }, id: { from: q, scale: 1e3 } }`;
  const rows = ["200000000,5", "1,1.5", "12345678901234567890,", "-5,0", "1.5e3,1", "x,1"];
  assert.deepEqual(mapped(mapping, `t,p,q\n${rows.map((row) => `${T},${row}\n`).join("")}`), [
    { ts: T, px: "2.00000000", id: "5e3" },
    { ts: T, px: "0.00000001", id: "1.5e3" },
    { ts: T, px: "123456789012.34567890" },
    { ts: T, px: "-5e-8", id: "0e3" },
    { ts: T, px: "1.5e-5", id: "1e3" },
    // Refused by the column, which knows what a number is.
    { ts: T, px: "x", id: "1e3" },
  ]);
});

test("several columns become an array, without the empty ones at its end", () => {
  const mapping = `columns: { ${TIME}, bids: { array: 'b{1..3}', scale: 1e-1 } }`;
  assert.deepEqual(mapped(mapping, `t,b1,b2,b3\n${T},1,2,3\n${T},1,,\n${T},,,\n${T},1,,3\n`), [
    { ts: T, bids: ["0.1", "0.2", "0.3"] },
    { ts: T, bids: ["0.1"] },
    { ts: T, bids: [] },
    "column bids: '0.3' comes after an empty place",
  ]);
  assert.deepEqual(mapped(`columns: { ${TIME}, bids: { array: [y, x] } }`, `t,x,y\n${T},1,2\n`), [
    { ts: T, bids: ["2", "1"] },
  ]);
});

test("an array or map column takes JSON text from CSV and the value from NDJSON", () => {
  const columns = `{ ${TIME}, bids: b, tags: m }`;
  assert.deepEqual(
    mapped(`columns: ${columns}`, `t,b,m\n${T},"[1.50,2]","{""a"":""x""}"\n${T},[1],\n${T},1;2,\n`),
    [
      { ts: T, bids: ["#1.50", "#2"], tags: { a: "x" } },
      { ts: T, bids: ["#1"] },
      "column bids: '1;2' is broken JSON: expected the end at character 2",
    ],
  );
  assert.deepEqual(mapped(`format: ndjson\ncolumns: ${columns}`, `{"t":${T},"b":[1.50],"m":{}}\n`), [
    { ts: T, bids: ["#1.50"], tags: {} },
  ]);
});

test("an empty field is missing, a quoted empty one is an empty text in text columns only", () => {
  const mapping = `csv: { missing: ["-", NULL] }\ncolumns: { ${TIME}, note: n, px: p }`;
  assert.deepEqual(mapped(mapping, `t,n,p\n${T},,\n${T},"",""\n${T},-,NULL\n${T},"a""b"," 1"\n`), [
    { ts: T },
    { ts: T, note: "" },
    { ts: T },
    { ts: T, note: 'a"b', px: " 1" },
  ]);
});

test("a JSON number for a text column becomes its digits, null stays null", () => {
  const mapping = `format: ndjson\ncolumns: { ${TIME}, note: id, id: id2 }`;
  assert.deepEqual(mapped(mapping, `{"t":${T},"id":9007199254740993,"id2":null}\n{"t":"${T}"}\n`), [
    { ts: T, note: "9007199254740993", id: null },
    { ts: T },
  ]);
});

test("a record with too few or too many fields is refused", () => {
  const mapping = `csv: { columns: [t, p] }\ncolumns: { ${TIME}, px: p }`;
  assert.deepEqual(mapped(mapping, `${T}\n${T},1\n${T},1,2\n`), [
    "has not as many fields as the file has columns: 1 instead of 2",
    { ts: T, px: "1" },
    "has not as many fields as the file has columns: 3 instead of 2",
  ]);
});

test("all mistakes of a mapping are told at once, each with its place and a way out", () => {
  assert.deepEqual(
    mistakes(`
formt: csv
csv: { delimeter: ';' }
files: [{ pattern: '(' }]
columns:
  ts: { time: t, unit: msec, zone: Mars/Phobos }
  symbol: { from: a, constant: b }
  px: { from: p, scale: 0.01 }
  simbol: s
  id: [1, 2]
  note: { from: n, valeus: { a: b } }
ignore: x
`),
    [
      "csv.delimeter: unknown key; did you mean delimiter? (line 3)",
      'files.0.pattern: "(" is not a regular expression (line 4)',
      'columns.ts.unit: "msec" is not one of s, ms, us, ns (line 6)',
      'columns.ts.zone: "Mars/Phobos" is not a time zone such as UTC, UTC-5 or America/New_York, or { file: NAME } for a part of the file\'s name (line 6)',
      'columns.symbol: {"from":"a","constant":"b"} is not a source column, or a group with exactly one of from, file, constant, array, time (line 7)',
      'columns.px.scale: "0.01" is not a power of ten such as 1e-8 (line 8)',
      'columns.id: ["1","2"] is not a source column, or a group with exactly one of from, file, constant, array, time (line 10)',
      "columns.note.valeus: unknown key; did you mean values? (line 11)",
      'ignore: "x" is not a list (line 12)',
      "formt: unknown key; did you mean format? (line 2)",
      "columns.simbol: is no column of ticks; did you mean symbol?",
    ],
  );
});

test("keys of a time that contradict each other are mistakes", () => {
  const of = (spec: string): string[] =>
    mistakes(`files: [{ pattern: '(?<d>.*)' }]\ncolumns: { ts: ${spec} }`);
  const cases: [spec: string, mistake: RegExp][] = [
    ["{ time: t, unit: ms, format: 'HH:mm' }", /format: is for text, not beside unit/],
    ["{ time: t, unit: ms, zone: UTC }", /zone: is not for a count since 1970/],
    ["{ time: t, format: 'YYYYMMDD HHmmss' }", /zone: is needed: the format has no offset/],
    ["{ time: t, format: 'HH:mm', zone: UTC }", /format: has no YYYY, and there is no date/],
    ["{ time: t, date: d, unit: ms }", /zone: is needed with date; UTC if the times are UTC/],
    ["{ time: t, date: d, zone: UTC, rollover: 1h }", /rollover: needs date: \{ file: … \}/],
    ["{ time: t, date: { file: d }, zone: UTC, rollover: 2d }", /rollover: "2d" is not a duration up to 12h/],
    ["{ time: t, date: d, zone: UTC, date_format: 'MM/DD' }", /date_format: has no YYYY/],
    ["{ time: t, zone: UTC, format: 'YYYY-QQ' }", /format: "YYYY-QQ" is not built of YYYY MM DD/],
  ];
  for (const [spec, mistake] of cases) {
    const found = of(spec);
    assert.equal(found.length, 1, `${spec}: ${found.join("; ")}`);
    assert.match(found[0]!, mistake);
  }
});

test("a mapping that does not fit the table is refused before any file is opened", () => {
  assert.deepEqual(
    mistakes(`
files: [{ pattern: '(?<sym>.*)-(?<symbol>.*)' }, { pattern: 'x', set: { sym: x } }]
columns: { simbol: a, seq: b, ts_ingest: c, px: { constant: 1 }, note: { file: symbol } }
ignore: [a]
`),
    [
      "columns.simbol: is no column of ticks; did you mean symbol?",
      "columns.seq: is not for a file to set",
      "columns.ts_ingest: is not for a file to set",
      "columns.ts: is missing: the column is required",
      "columns.note: needs symbol, which not every pattern of files gives; known are sym",
      "ignore: a is ignored and also used",
    ],
  );
});

test("a text of the mapping that does not fit its column is told before any row is lost to it", () => {
  assert.deepEqual(
    mistakes(`
columns:
  ${TIME}
  id: { constant: 1.5 }
  px: { from: p, values: { a: '1', b: one } }
  bids: { constant: '[1, x]' }
  tags: { constant: '{"a":"b"}' }
`),
    [
      "columns.id.constant: '1.5' is not a whole number",
      "columns.px.values.b: 'one' is not a decimal number",
      "columns.bids.constant: '[1, x]' is broken JSON: expected a value at character 5",
    ],
  );
  const mapping = `files: [{ pattern: '(?<n>.*)\\.csv' }]\ncolumns: { ${TIME}, id: { file: n } }`;
  assert.throws(() => mapped(mapping, "t\n", "x7.csv"), /columns\.id: 'x7' is not/);
});

test("a file whose name gives no date or zone is refused as a whole", () => {
  const mapping = (zone: string): string => `
    files: [{ pattern: '(?<date>.*)\\.csv', set: { zone: ${zone} } }]
    csv: { columns: [t] }
    columns: { ts: { time: t, unit: ms, date: { file: date }, zone: { file: zone } } }`;
  assert.throws(() => mapped(mapping("UTC"), "1\n", "20240230.csv"), /'20240230' is not a date/);
  assert.throws(() => mapped(mapping("Moon"), "1\n", "20240229.csv"), /Moon is no time zone/);
});

test("YAML that is broken, empty or gives a key twice is refused", () => {
  assert.match(mistakes("columns: [")[0]!, /Flow sequence/);
  assert.match(mistakes("")[0]!, /holds no keys and values/);
  assert.match(mistakes(`columns: { ${TIME}, ts: x }`)[0]!, /Map keys must be unique/);
  assert.deepEqual(mistakes("format: csv"), ["columns: is missing"]);
});

test("the reference names every key of a mapping", () => {
  const page = readFileSync("docs/reference/mapping.md", "utf8");
  const kinds = ["from", "file", "constant", "array", "time"];
  const keys = [
    ...keysAt([], undefined),
    ...keysAt(["csv"], undefined),
    ...keysAt(["files"], undefined),
    ...kinds.flatMap((kind) => keysAt(["columns", "any"], { [kind]: "" })),
  ];
  assert.equal(keys.length, 30);
  for (const key of keys) assert.ok(page.includes(`\`${key}\``), `docs/reference/mapping.md lacks ${key}`);
});
