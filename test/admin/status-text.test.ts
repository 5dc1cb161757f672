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
  const memory = { used: 2 ** 21, max: 2 ** 25 };
  return statusText({
    recorder: "desk",
    run: "7",
    link,
    memory,
    tables: {},
    conditions: [],
    ...more,
  } as unknown as RecorderStats);
}

/** A table as it stands, and what is different. */
function table(more: object = {}): object {
  return {
    ...{ offered: 1_234_600, accepted: 1_234_567, stored: 1_200_000, pending: { rows: 20_000, bytes: 1 } },
    ...{ deduplicated: 10_000, sampled: 4000, dropped: { queue_full: 500, spool_full: 60 }, deadLettered: 7 },
    ...{ refused: { value_rejected: 33 }, perSecond: { offered: 50_000, stored: 41_234.4 }, usage: 0.124 },
    ...{ freshnessSeconds: 0.26, oldestSeconds: 0.1, conservation: { holds: true } },
    level: { index: 0, step: "normal", since: 1, changes: 0 },
    pressure: { value: 0.1, cause: "queue" },
    ...more,
  };
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

test("each table has a line with its rows by what became of them, with units", () => {
  const idle = { freshnessSeconds: undefined, oldestSeconds: undefined };
  const shown = text({
    tables: { market_data: table(), orders: table({ ...idle, dropped: {}, refused: {} }) },
  });
  assert.match(shown, /^memory 2 MiB of 32 MiB$/m);
  assert.match(
    shown,
    /^table +rows\/s +queue +fresh +stored +pending +thinned +dropped +refused +letters +pressure +level$/m,
  );
  assert.match(shown, /^market_data +41,234 +12% +0\.3 s +1,200,000 +20,000 +14,000 +560 +33 +7 +10% +0$/m);
  assert.match(shown, /^orders +41,234 +12% +- +1,200,000 +20,000 +14,000 +0 +0 +7 +10% +0$/m);
  const widest = Math.max(...shown.split("\n").map(({ length }) => length));
  assert.ok(widest <= 120, `${widest} columns`);
});

test("rows that wait are as old as the oldest of them, whatever was stored last", () => {
  const waiting = { market_data: table({ freshnessSeconds: 0.3, oldestSeconds: 74.6 }) };
  assert.match(text({ tables: waiting }), /^market_data .* 75 s /m);
});

test("what is to be looked after has a line of its own: conditions, pauses, a spool in use, rows that do not add up", () => {
  const conservation = { holds: false, imbalance: { offered: 0, accepted: -3 } };
  const paused = { class: "schema", code: "60", message: "no such table" };
  const spool = { state: "full", reason: "no room", rows: 1200, bytes: 2 ** 20, max: 2 ** 31 };
  const shown = text({
    tables: { orders: table({ conservation, paused }) },
    spool: { market_data: spool, ticks: { ...spool, state: "ok", rows: 0 } },
    conditions: [{ name: "drop_rate", message: "4.2% of the rows of ticks were dropped" }],
  });
  assert.match(shown, /^orders is paused: 60: no such table$/m);
  assert.match(shown, /^spool of market_data full: no room; 1200 rows on disk/m);
  assert.doesNotMatch(shown, /^spool of ticks/m);
  assert.match(shown, /^LOOK: 4\.2% of the rows of ticks were dropped$/m);
  assert.match(
    shown,
    /^MISCOUNT: rows of orders do not add up, by 0 of the rows offered, -3 of those accepted$/m,
  );
});

test("a table that is thinned out under load has a line of its own, one at its normal level none", () => {
  const level = { index: 3, step: "sample 50ms", since: 1, changes: 1 };
  const pressure = { value: 0.834, cause: "queue" };
  const shown = text({ tables: { market_data: table({ level, pressure }), ticks: table() } });
  assert.match(shown, /^overload: market_data is at level 3, sample 50ms; pressure 83%, from queue$/m);
  assert.doesNotMatch(shown, /ticks is at level/);
});
