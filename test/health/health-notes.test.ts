import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConditionEvent, ConservationEvent } from "../../src/health/events.js";
import { HealthNotes } from "../../src/health/health-notes.js";
import type { Row } from "../../src/native/block.js";
import { ManualClock } from "../support/clock.js";

const MINUTE_MS = 60_000;

function notesAt(clock: ManualClock) {
  const written: Row[] = [];
  const notes = new HealthNotes(clock, (row) => written.push(row));
  const condition = (holds: boolean, table = "t"): ConditionEvent => ({
    kind: "condition",
    ...{ name: "drop_rate", table, holds, since: clock.wall() / 1000, value: 0.5, limit: 0.01 },
    message: "half of the rows were dropped",
  });
  /** What was written since the last call: `severity table changes`. */
  const told = (): string[] =>
    written.splice(0).map(({ severity, attributes }) => {
      const { table, changes } = attributes as Record<string, string>;
      return `${severity} ${table} ${changes}`;
    });
  return { notes, told, condition, written };
}

test("a change is written at once, and those of the next minute as one row at its end", () => {
  const clock = new ManualClock();
  const { notes, told, condition } = notesAt(clock);
  notes.add(condition(true));
  assert.deepEqual(told(), ["warning t 1"]);
  clock.advance(1_000);
  for (const holds of [false, true, false]) notes.add(condition(holds));
  notes.add(condition(true, "another"));
  assert.deepEqual(told(), ["warning another 1"]);
  clock.advance(MINUTE_MS);
  assert.deepEqual(told(), ["info t 3"]);
  clock.advance(10 * MINUTE_MS);
  assert.deepEqual([told(), clock.timers], [[], 0]);
  notes.add(condition(true));
  assert.deepEqual(told(), ["warning t 1"]);
});

test("a condition that flaps every second for an hour is a row a minute, of the time that it was last another", () => {
  const clock = new ManualClock();
  const { notes, told, condition, written } = notesAt(clock);
  let changes = 0;
  for (let second = 0; second < 3600; second += 1) {
    notes.add(condition(second % 2 === 0));
    changes += 1;
    clock.advance(1_000);
  }
  const at = clock.wall();
  notes.close();
  const last = written.at(-1)!;
  assert.equal((last["ts"] as Date).getTime(), at - 1_000);
  const rows = told();
  notes.add(condition(true));
  assert.deepEqual([told(), clock.timers], [[], 0], "nothing is written after the end");
  assert.ok(rows.length <= 62, `${rows.length} rows`);
  assert.equal(
    rows.reduce((sum, row) => sum + Number(row.split(" ")[2]), 0),
    changes,
  );
});

test("rows that add up by other numbers at each look are a row a minute, which says by how many", () => {
  const clock = new ManualClock();
  const { notes, written } = notesAt(clock);
  const counts = { offered: 9, refused: 0, accepted: 9, stored: 0, pending: 0, deduplicated: 0 };
  const sums = { ...counts, sampled: 0, dropped: 0, deadLettered: 0 };
  const violation = (accepted: number): ConservationEvent => ({
    ...{ kind: "conservation", table: "t", holds: accepted === 0, imbalance: { offered: 0, accepted }, sums },
  });
  for (let missing = 1; missing <= 100; missing += 1) notes.add(violation(missing));
  notes.close();
  assert.deepEqual(
    written.map(({ severity, attributes }) => [severity, (attributes as Row)["accepted"]]),
    [
      ["error", "1"],
      ["error", "100"],
    ],
  );
  assert.match(
    written[1]!["message"] as string,
    /^rows of t do not add up: of those offered 0, of those accepted 100 are nowhere/,
  );
});
