import assert from "node:assert/strict";
import { test } from "node:test";
import { eventMessage } from "../../src/live/event-message.js";

test("an event is told in one line that names what it is about and why", () => {
  assert.equal(
    eventMessage({ kind: "replay", cause: "outage", pending: { orders: 3, fills: 4 } }),
    "7 rows of the outage are being stored",
  );
  assert.equal(
    eventMessage({
      kind: "wal_state",
      from: "nearly_full",
      to: "full",
      reason: "the disk is full",
      refusing: "wal_full",
    }),
    "log nearly_full → full: the disk is full; critical rows are refused",
  );
  assert.equal(
    eventMessage({ kind: "dropped", table: "market_data", rows: 12, reason: "queue_full" }),
    "12 rows of market_data were dropped: queue_full",
  );
});
