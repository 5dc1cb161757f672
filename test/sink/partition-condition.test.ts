import assert from "node:assert/strict";
import { after, test } from "node:test";
import { HastyClock } from "../support/clock.js";
import { resetAfterStore } from "../support/fault-proxy-faults.js";
import { startRig, upTo } from "./rig.js";

const rig = await startRig({ after });

/** Partition columns, with values that differ for odd and even ids. */
const COLUMNS: readonly (readonly [type: string, even: unknown, odd: unknown])[] = [
  ["String", "a\tb\\c'd", "a\tb\\c"],
  ["LowCardinality(String)", "", "é𝄞"],
  ["Enum8('buy' = 1, 'sell' = -1)", "buy", "sell"],
  ["Bool", true, false],
  ["Int64", "-9223372036854775808", "9223372036854775807"],
  ["UInt8", 0, 255],
  ["Date", "2024-02-29", "2024-03-01"],
  ["Date32", "1950-01-01", "2024-03-01"],
  ["DateTime('UTC')", "2024-02-29T00:00:00Z", "2024-02-29T00:00:01Z"],
  ["DateTime64(3, 'UTC')", "2024-02-29T00:00:00.001Z", "2024-02-29T00:00:00.002Z"],
  ["Decimal(9, 2)", "1.50", "-1.50"],
  ["Decimal(38, 8)", "1.5", "1.50000001"],
];

/** The rows are stored and the answers lost for so long that they are asked for: the count must find exactly them. */
async function askFor(
  partitionBy: string,
  columns: string,
  rowOf: (id: number) => Record<string, unknown>,
): Promise<void> {
  const clock = new HastyClock();
  const recording = await rig.open({
    clock,
    partitionBy,
    columns,
    report: (event) => event.kind === "retry" && clock.advance(60_000),
  });
  rig.proxy.on({ times: 2 }, resetAfterStore);
  for (const id of upTo(10)) recording.offer([id], rowOf(id));
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(recording.stats().insertErrors, { "retry/no_answer": 2 });
  assert.ok(!recording.events.some((event) => event.kind === "incident"));
}

for (const [type, even, odd] of COLUMNS) {
  test(`the rows of a batch are found in a partition by ${type}`, () =>
    askFor("part", `, part ${type}`, (id) => ({ part: id % 2 === 0 ? even : odd })));
}

for (const type of ["Date", "Date32", "DateTime('UTC')"]) {
  for (const unit of ["toDate", "toYYYYMM"]) {
    test(`the rows of a batch are found in a partition by ${unit} of ${type}`, () => {
      const at = (id: number): string => (id % 2 === 0 ? "2024-02-29" : "2024-03-01");
      return askFor(`${unit}(part)`, `, part ${type}`, (id) => ({
        part: type.startsWith("DateTime") ? `${at(id)}T23:59:59Z` : at(id),
      }));
    });
  }
}
