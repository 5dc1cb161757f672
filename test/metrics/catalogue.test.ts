import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUE } from "../../src/metrics/catalogue.js";

/** What users were promised, written down by hand. */
const PROMISED = {
  recorder_offered_rows_total: ["table"],
  recorder_refused_rows_total: ["table", "reason"],
  recorder_rows_total: ["table", "outcome"],
  recorder_pending_rows: ["table"],
  recorder_dead_letter_rows: ["table"],
  recorder_dropped_rows_total: ["table", "reason"],
  recorder_queue_usage_ratio: ["table"],
  recorder_queue_rows: ["table"],
  recorder_ring_usage_ratio: ["producer"],
  recorder_insert_duration_seconds: ["table"],
  recorder_insert_rows: ["table"],
  recorder_insert_errors_total: ["table", "class", "code"],
  recorder_freshness_seconds: ["table"],
  recorder_event_lag_seconds: ["table"],
  recorder_wal_size_bytes: [],
  recorder_wal_pending_rows: ["table"],
  recorder_wal_oldest_pending_seconds: [],
  recorder_wal_fsync_duration_seconds: [],
  recorder_wal_seconds_until_full: [],
  recorder_wal_quarantined_total: [],
  recorder_spool_size_bytes: ["table"],
  recorder_link_state: ["state"],
  recorder_degrade_level: ["table"],
  recorder_last_stored_timestamp_seconds: ["table"],
} as const;

test("the metrics that were promised are there, with their labels", () => {
  const labels = new Map<string, readonly string[]>(CATALOGUE.map((metric) => [metric.name, metric.labels]));
  for (const [name, promised] of Object.entries(PROMISED)) assert.deepEqual(labels.get(name), promised, name);
  assert.ok(labels.has("recorder_build_info"));
});

test("names say unit and kind as Prometheus asks for, once each", () => {
  const names = CATALOGUE.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, type, help } of CATALOGUE) {
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.doesNotMatch(name, /_(ms|milliseconds|mib|percent|minutes)(_|$)/, name);
    assert.match(help, /^[A-Z0-9].*\.$/, name);
  }
});
