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
function text(more: object = {}): string {
  const link = { state: "up", reason: "stored", seconds: 5 };
  return statusText({ recorder: "desk", run: "7", link, tables: {}, ...more } as unknown as RecorderStats);
}

test("the status has a line for the log if there is one, with what it suffers from", () => {
  assert.doesNotMatch(text(), /^log/m);
  assert.match(text({ wal: LOG }), /^log ok; 75 rows pending, 3 MiB in 1 segment$/m);
  const sick = { ...LOG, state: "full", reason: "no room", refusing: "wal_full", segments: 2 };
  assert.match(
    text({ wal: sick }),
    /^log full: no room; critical rows are refused \(wal_full\); 75 rows pending, 3 MiB in 2 segments$/m,
  );
});

test("the status has a line for each spool that holds rows or is not well", () => {
  const quiet = { state: "unused", reason: "", rows: 0, bytes: 0, max: 2 ** 31 };
  assert.doesNotMatch(text({ spool: { market_data: quiet } }), /^spool/m);
  const used = { ...quiet, state: "ok", rows: 1200, bytes: 2 ** 22, oldestSeconds: 94 };
  assert.match(
    text({ spool: { market_data: used } }),
    /^spool of market_data ok; 1200 rows on disk, the oldest for 1 min 34 s, 4 of 2048 MiB$/m,
  );
  const sick = { ...quiet, state: "read_only", reason: "no writes" };
  assert.match(
    text({ spool: { ticks: sick } }),
    /^spool of ticks read_only: no writes; 0 rows on disk, 0 of 2048 MiB$/m,
  );
});

test("during an outage the status tells how long it lasts, how old the oldest row is and when the log is full; after it, what is left", () => {
  const link = { state: "down", reason: "connection refused", seconds: 94 };
  const wal = { ...LOG, oldestPendingSeconds: 96.4, secondsUntilFull: 11_520 };
  const away = text({ link, wal });
  assert.match(away, /^recorder desk, run 7, ClickHouse down for 1 min 34 s: connection refused$/m);
  assert.match(
    away,
    /^log ok; 75 rows pending, the oldest for 1 min 36 s, 3 MiB in 1 segment; at this rate full in 3 h 12 min$/m,
  );
  const replay = { cause: "outage", rows: 900, left: 75, seconds: 3 };
  assert.match(
    text({ wal, replay }),
    /^replay: 75 of 900 rows from while ClickHouse was away are left after 3 s$/m,
  );
});

test("a table that is thinned out under load has a line of its own, one at its normal level none", () => {
  const counts = { offered: 9, stored: 5, pending: { rows: 4 }, deadLettered: 0 };
  const at = (index: number, step: string): object => ({
    ...counts,
    level: { index, step, since: 1, changes: 1 },
    pressure: { value: 0.834, cause: "queue" },
  });
  const shown = text({ tables: { market_data: at(3, "sample 50ms"), ticks: at(0, "normal") } });
  assert.match(shown, /^overload: market_data is at level 3, sample 50ms; pressure 83%, from queue$/m);
  assert.doesNotMatch(shown, /ticks is at level/);
});
