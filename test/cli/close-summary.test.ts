import assert from "node:assert/strict";
import { test } from "node:test";
import { closeSummary, rowsLeft, rowsLogged } from "../../src/cli/close-summary.js";
import type { CloseReport } from "../../src/recorder.js";

type Table = CloseReport["tables"][string];

function reportOf(orders: Partial<Table>): CloseReport {
  const none: Partial<Table> = {
    offered: 0,
    stored: 0,
    refused: {},
    dropped: {},
    deadLettered: 0,
    unsent: 0,
    logged: 0,
  };
  const idle = { ...none, pending: { rows: 0, held: 0, bytes: 0 }, unconfirmed: 0 };
  return { tables: { orders: { ...idle, ...orders } as Table, fills: idle as Table } };
}

test("the summary adds up to what was offered, and leaves out idle tables", () => {
  const report = reportOf({
    offered: 100,
    stored: 50,
    refused: { queue_full: 10, invalid: 5 },
    dropped: { queue_full: 20 },
    deadLettered: 8,
    pending: { rows: 7, held: 7, bytes: 700 },
    logged: 4,
  });
  const [, orders, ...more] = closeSummary(report).split("\n");
  assert.deepEqual(orders?.split(/ +/), ["orders", "100", "50", "15", "20", "8", "4", "3"]);
  assert.deepEqual(more, []);
});

test("rows in the log are not lost", () => {
  const report = reportOf({ logged: 5, pending: { rows: 5, held: 0, bytes: 0 } });
  assert.deepEqual([rowsLeft(report), rowsLogged(report)], [0, 5]);
});

test("rows never sent and rows without an answer are rows left", () => {
  assert.equal(rowsLeft(reportOf({ unsent: 3, unconfirmed: 4 })), 7);
  assert.equal(rowsLeft(reportOf({ offered: 5, stored: 5 })), 0);
});
