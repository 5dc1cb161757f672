import assert from "node:assert/strict";
import { test } from "node:test";
import { statusText } from "../../src/admin/status-text.js";
import type { RecorderStats } from "../../src/recorder.js";

const LOG = {
  state: "ok",
  reason: "the disk takes what it is given",
  bytes: 3_000_000,
  segments: 1,
  pending: { orders: 70, fills: 5 },
};

/** Of a recorder with no table; only what the text needs is there. */
function text(wal?: object): string {
  const stats = { recorder: "desk", run: "7", link: { state: "up" }, tables: {}, wal };
  return statusText(stats as unknown as RecorderStats);
}

test("the status has a line for the log if there is one, with what it suffers from", () => {
  assert.doesNotMatch(text(), /^log/m);
  assert.match(text(LOG), /^log ok; 75 rows pending, 3 MiB in 1 segment$/m);
  const sick = { ...LOG, state: "full", reason: "no room", refusing: "wal_full", segments: 2 };
  assert.match(
    text(sick),
    /^log full: no room; critical rows are refused \(wal_full\); 75 rows pending, 3 MiB in 2 segments$/m,
  );
});
