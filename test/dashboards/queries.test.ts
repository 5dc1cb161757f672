import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CATALOGUE } from "../../src/metrics/catalogue.js";
import { panelsOf } from "./panels.js";

const LABELS = new Map<string, readonly string[]>(CATALOGUE.map(({ name, labels }) => [name, labels]));
/** Prometheus adds them. */
const ADDED: ReadonlySet<string> = new Set(["instance", "job"]);

test("each expression of the recorder's dashboard names metrics and labels that are there", () => {
  for (const { title, exprs } of panelsOf("coldpath-recorder")) {
    assert.ok(exprs.length > 0, title);
    for (const expr of exprs) {
      const asked = [...expr.matchAll(/\b(recorder_\w+?)(?:_bucket|_sum|_count)?\{([^}]*)\}/g)];
      assert.ok(asked.length > 0 || /\b(process|nodejs)_\w+\{/.test(expr), `${title}: ${expr}`);
      for (const [, metric = "", matchers = ""] of asked) {
        const labels = LABELS.get(metric);
        assert.ok(labels !== undefined, `${title} asks for ${metric}`);
        for (const [, label = ""] of matchers.matchAll(/(\w+)=~?"/g))
          assert.ok(ADDED.has(label) || labels.includes(label), `${title} asks for ${label} of ${metric}`);
      }
    }
  }
});

test("each metric of the reference that an operator would miss is on a panel", () => {
  const shown = panelsOf("coldpath-recorder")
    .flatMap(({ exprs }) => exprs)
    .join("\n");
  for (const name of [
    "recorder_rows_total",
    "recorder_freshness_seconds_bucket",
    "recorder_queue_usage_ratio",
    "recorder_insert_duration_seconds_bucket",
    "recorder_insert_rows_bucket",
    "recorder_wal_size_bytes",
    "recorder_spool_size_bytes",
    "recorder_wal_seconds_until_full",
    "recorder_replay_left_rows",
    "recorder_dropped_rows_total",
    "recorder_degrade_level",
    "recorder_dead_letter_rows",
    "recorder_link_state",
    "recorder_wal_fsync_duration_seconds_bucket",
    "recorder_ring_usage_ratio",
  ])
    assert.ok(shown.includes(name), name);
});

test("panels of a dashboard have a title, a text and a place of their own", () => {
  for (const name of ["coldpath-recorder", "coldpath-trading"]) {
    const { panels } = JSON.parse(readFileSync(`deploy/grafana/${name}.json`, "utf8")) as {
      panels: readonly {
        type: string;
        title: string;
        description?: string;
        gridPos: Record<"x" | "y" | "w" | "h", number>;
      }[];
    };
    const taken = new Set<string>();
    for (const { type, title, description, gridPos } of panels) {
      if (type !== "row") assert.ok(title !== "" && (description ?? "") !== "", title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(x < 24 && !taken.has(`${x},${y}`), `${title} lies on another`);
          taken.add(`${x},${y}`);
        }
    }
  }
});
