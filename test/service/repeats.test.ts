import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { Told } from "../../src/live/recent-events.js";
import type { RecorderEvent } from "../../src/recorder.js";
import { Repeats } from "../../src/service/repeats.js";
import { runbookFor } from "../../src/service/runbook.js";
import { ManualClock } from "../support/clock.js";

function retry(table: string, batch: number): Told {
  const fields = { table, batch, class: "retry", code: "210" };
  return { kind: "retry", level: "warn", message: `batch ${batch}`, fields };
}

function rig() {
  const clock = new ManualClock();
  const written: [string, unknown][] = [];
  const repeats = new Repeats(clock, ({ message, fields }) => written.push([message, fields["repeated"]]));
  return { clock, written, repeats };
}

test("the first of equal lines is written at once, the others as one with their number", () => {
  const { clock, written, repeats } = rig();
  for (let batch = 1; batch <= 500; batch += 1) repeats.tell(retry("orders", batch));
  repeats.tell(retry("fills", 1));
  assert.deepEqual(written.splice(0), [
    ["batch 1", undefined],
    ["batch 1", undefined],
  ]);
  clock.advance(10_000);
  assert.deepEqual(written.splice(0), [["batch 500", 499]]);
  repeats.tell(retry("orders", 501));
  assert.deepEqual(written, []);
  clock.advance(10_000);
  assert.deepEqual(written.splice(0), [["batch 501", 1]]);
  clock.advance(10_000);
  repeats.tell(retry("orders", 502));
  assert.deepEqual(written, [["batch 502", undefined]]);
});

test("changes of state are each written, and nothing is lost at the end", () => {
  const { written, repeats } = rig();
  const link: Told = { kind: "link", level: "error", message: "down", fields: {} };
  for (let n = 0; n < 3; n += 1) repeats.tell(link);
  assert.equal(written.splice(0).length, 3);
  for (let batch = 1; batch <= 3; batch += 1) repeats.tell(retry("orders", batch));
  repeats.flush();
  assert.deepEqual(written, [
    ["batch 1", undefined],
    ["batch 3", 2],
  ]);
});

test("a line that asks for action names a page that is there", () => {
  const events = [
    { kind: "link", to: "down" },
    { kind: "paused" },
    { kind: "incident" },
    { kind: "wal_state", to: "full" },
    { kind: "condition", name: "drop_rate", holds: true },
    { kind: "recorder_clash" },
    { kind: "wal_damage" },
    { kind: "start_refused" },
    { kind: "rows_lost" },
    { kind: "level" },
  ] as unknown as RecorderEvent[];
  for (const event of events) assert.ok(existsSync(runbookFor(event)!), event.kind);
  assert.equal(runbookFor({ kind: "link", to: "up" } as unknown as RecorderEvent), undefined);
});
