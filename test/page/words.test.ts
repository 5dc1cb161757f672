import assert from "node:assert/strict";
import { test } from "node:test";
import { browserModule } from "./browser-module.js";

type Format = Record<string, (value: number | null | undefined) => string>;
const format = await browserModule<Format>("format");

interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}
const { MessageParser } = await browserModule<{
  MessageParser: new () => { push(text: string): Message[] };
}>("stream");

interface AnswerChart {
  readonly kind: string;
  readonly x?: readonly number[];
  readonly isTime?: boolean;
  readonly lines?: readonly { name: string; values: readonly (number | null)[] }[];
  readonly bars?: readonly { label: string; value: number }[];
}
const { chartOf } = await browserModule<{ chartOf: (answer: object) => AnswerChart | undefined }>("answer");

/** By function: what it is given, and what it says. */
const FIGURES: readonly [string, readonly (readonly [number | null | undefined, string])[]][] = [
  [
    "countText",
    [
      [0, "0"],
      [12345.4, "12,345"],
      [null, "–"],
      [undefined, "–"],
    ],
  ],
  [
    "shortCountText",
    [
      [999_999, "999,999"],
      [1_234_567, "1.23 M"],
      [2.5e9, "2.5 G"],
      [1.5e12, "1.5 T"],
      [2e18, "2000 P"],
    ],
  ],
  [
    "rateText",
    [
      [0, "0"],
      [0.42, "0.4"],
      [9.94, "9.9"],
      [9.96, "10"],
      [1234.6, "1,235"],
    ],
  ],
  [
    "shortRateText",
    [
      [9999.4, "9,999"],
      [9999.6, "10 k"],
      [26_714, "26.7 k"],
      [999_400, "999 k"],
      [999_999, "1 M"],
      [1.234e9, "1.23 G"],
    ],
  ],
  [
    "bytesText",
    [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "0.98 KiB"],
      [1024, "1 KiB"],
      [15.2 * 2 ** 20, "15.2 MiB"],
      [20 * 2 ** 30, "20 GiB"],
    ],
  ],
  [
    "latencyText",
    [
      [0, "0 s"],
      [0.00085, "850 µs"],
      [0.012, "12 ms"],
      [0.9996, "1 s"],
      [1.25, "1.25 s"],
      [59.9, "59.9 s"],
      [75, "1 min 15 s"],
    ],
  ],
  [
    "durationText",
    [
      [12.4, "12 s"],
      [59.7, "1 min"],
      [250, "4 min 10 s"],
      [11_540, "3 h 12 min"],
      [7200, "2 h"],
      [183_600, "2 d 3 h"],
      [400 * 86_400, "1 y 35 d"],
      [-3, "0 s"],
    ],
  ],
  [
    "shareText",
    [
      [0, "0 %"],
      [0.004, "<1 %"],
      [0.374, "37 %"],
      [1, "100 %"],
    ],
  ],
];
test("figures have units and three digits at most, and nothing known is a dash", () => {
  for (const [name, pairs] of FIGURES)
    for (const [value, text] of pairs)
      assert.equal(format[name]!(value).replaceAll("\u00a0", " "), text, `${name}(${value})`);
});

test("messages of the stream are read whole, however the network cuts them", () => {
  const sent =
    ': beat\n\nevent: status\ndata: {"a":\ndata: 1}\n\nid: 7\r\nevent: event\r\ndata: ü\r\n\r\nevent: lost\n\n';
  const expected = [
    { event: "status", id: "", data: '{"a":\n1}' },
    { event: "event", id: "7", data: "ü" },
  ];
  for (let size = 1; size <= sent.length; size += 1) {
    const parser = new MessageParser();
    const got: Message[] = [];
    for (let at = 0; at < sent.length; at += size) got.push(...parser.push(sent.slice(at, at + size)));
    assert.deepEqual(got, expected, `in pieces of ${size}`);
  }
});

test("an answer is drawn over its time, over a rising number, as bars of names, or not at all", () => {
  const time = chartOf({
    columns: [
      { name: "at", type: "DateTime64(9, 'UTC')" },
      { name: "rows", type: "UInt64" },
      { name: "px", type: "Nullable(Decimal(18, 8))" },
    ],
    rows: [
      ["2026-01-05T09:30:00.500000000Z", "12", null],
      ["2026-01-05 09:30:01.000000000", "9007199254740993", "1.5"],
    ],
  });
  assert.deepEqual(time?.x, [1767605400.5, 1767605401]);
  assert.deepEqual(time?.lines, [
    { name: "rows", values: [12, 9007199254740992] },
    { name: "px", values: [null, 1.5] },
  ]);
  assert.equal(time?.isTime, true);
  const names = [
    ["AAA", "quote", "3"],
    ["BBB", "trade", "1"],
  ];
  const columns = [
    { name: "symbol", type: "LowCardinality(String)" },
    { name: "kind", type: "Enum8('quote' = 1)" },
    { name: "rows", type: "UInt64" },
  ];
  assert.deepEqual(chartOf({ columns, rows: names })?.bars, [
    { label: "AAA · quote", value: 3 },
    { label: "BBB · trade", value: 1 },
  ]);
  const numbers = [
    { name: "n", type: "Int32" },
    { name: "square", type: "Float64" },
  ];
  assert.deepEqual(
    chartOf({
      columns: numbers,
      rows: [
        [1, 1],
        [2, 4],
        [3, 9],
      ],
    })?.x,
    [1, 2, 3],
  );
  assert.equal(
    chartOf({
      columns: numbers,
      rows: [
        [2, 1],
        [1, 4],
      ],
    }),
    undefined,
    "neither rising nor named",
  );
  assert.equal(chartOf({ columns: columns.slice(0, 2), rows: names }), undefined, "no number");
  assert.equal(chartOf({ columns, rows: names.slice(0, 1) }), undefined, "one row");
});
