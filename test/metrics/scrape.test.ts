import assert from "node:assert/strict";
import { after, test } from "node:test";
import { systemClock } from "../../src/base/clock.js";
import { Heartbeat } from "../../src/service/heartbeat.js";
import { startLogged } from "../admin/logged-service.js";
import { openPlace, startTables } from "../intake/fixture.js";
import { temporaryFolder } from "../support/folder.js";
import { readPrometheusText } from "../support/prometheus-text.js";
import { until } from "../support/until.js";

const clickhouse = await startTables({ after });

function order(n: number, more: object = {}): string {
  return JSON.stringify({
    ts: new Date().toISOString(),
    client_order_id: `o-${n}`,
    strategy: "mm",
    symbol: `S${n}`,
    side: "buy",
    qty: 1,
    status: "new",
    ...more,
  });
}

test("what a scrape says of rows is what was sent and what ClickHouse holds", async (t) => {
  const service = await startLogged(clickhouse, await temporaryFolder(t));
  t.after(() => service.close());
  const lines = [...Array.from({ length: 120 }, (_, n) => order(n)), order(120, { side: "sideways" })];
  const answer = await fetch(`${service.url}/v1/ingest/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.token}`, "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
  assert.equal(answer.status, 200);
  await service.recorder.flush();
  const scraped = await fetch(`${service.url}/metrics`);
  assert.match(scraped.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const families = readPrometheusText(await scraped.text());
  const value = (series: string): number | undefined =>
    families.get(series.replace(/\{.*|_(bucket|sum|count)(\{.*)?$/, ""))?.series.get(series);

  const [held] = await clickhouse.rows<{ n: string }>("SELECT toString(count()) AS n FROM orders");
  assert.equal(Number(held!.n), 120);
  assert.equal(value('recorder_offered_rows_total{table="orders"}'), 121);
  assert.equal(value('recorder_refused_rows_total{reason="value_rejected",table="orders"}'), 1);
  assert.equal(value('recorder_dead_letter_rows{table="orders"}'), 1);
  assert.equal(value('recorder_rows_total{outcome="accepted",table="orders"}'), 120);
  assert.equal(value('recorder_rows_total{outcome="stored",table="orders"}'), 120);
  assert.equal(value('recorder_rows_total{outcome="stored",table="fills"}'), 0);
  assert.equal(value('recorder_pending_rows{table="orders"}'), 0);
  assert.equal(value('recorder_wal_logged_rows_total{table="orders"}'), 120);
  assert.equal(value('recorder_wal_pending_rows{table="orders"}'), 0);
  assert.equal(value('recorder_insert_rows_sum{table="orders"}'), 120);
  assert.equal(value('recorder_freshness_seconds_count{table="orders"}'), 120);
  assert.ok(value('recorder_event_lag_seconds_count{table="orders"}')! >= 1);
  assert.ok(value("recorder_wal_fsync_duration_seconds_count")! >= 1);
  assert.equal(value('recorder_link_state{state="up"}'), 1);
  assert.equal(value('recorder_link_state{state="down"}'), 0);
  assert.ok(families.has("process_cpu_seconds_total") && families.has("nodejs_eventloop_lag_seconds"));

  for (const [name, { type, help, series }] of families) {
    assert.notEqual(help, "", name);
    if (type === "histogram") mustRise(name, series);
  }
  const symbols = [...families.values()].flatMap(({ series }) => [...series.keys()]);
  assert.ok(
    symbols.every((each) => !/"S\d+"/.test(each)),
    "no label has values from the data",
  );
});

/** Buckets count also what is in those below them, and the last has all. */
function mustRise(name: string, series: ReadonlyMap<string, number>): void {
  const last = new Map<string, number>();
  for (const [key, value] of series) {
    if (!key.startsWith(`${name}_bucket`)) continue;
    const of = key.replace(/le="[^"]*",?/, "");
    assert.ok(value >= (last.get(of) ?? 0), `${key} falls`);
    last.set(of, value);
  }
  for (const [of, value] of last) {
    const count = of
      .replace("_bucket", "_count")
      .replace(/,?\}$/, (end) => end.replace(",", ""))
      .replace("{}", "");
    assert.equal(series.get(count), value, count);
  }
}

test("a heartbeat is timed until a reader sees it, and waits as long as he does not", async (t) => {
  const { recorder } = await openPlace(t, clickhouse, undefined, ["system_events"]);
  let isBlind = false;
  const heartbeat = new Heartbeat({
    recorder,
    clickhouse: { rows: async (...args) => (isBlind ? [] : await clickhouse.rows(...args)) },
    clock: systemClock,
    everyMs: 20,
  });
  t.after(() => heartbeat.close());
  await until("two beats", () => heartbeat.stats.visible.count >= 2);
  // A batch is flushed after 50 ms.
  assert.ok(heartbeat.stats.visible.sum / heartbeat.stats.visible.count > 0.02);
  isBlind = true;
  await until("a beat that waits", () => heartbeat.stats.waitingSeconds > 0.5);
  const seen = heartbeat.stats.visible.count;
  isBlind = false;
  await until("the beat that waited", () => heartbeat.stats.visible.count > seen);
  await heartbeat.close();
  await recorder.flush();
  const [stored] = await clickhouse.rows<{ n: string }>(
    `SELECT toString(count()) AS n FROM system_events WHERE kind = 'heartbeat' AND run = ${recorder.run}`,
  );
  const written = Number(stored!.n);
  const found = heartbeat.stats.visible.count;
  assert.ok(written === found || written === found + 1, `${written} beats written, ${found} found`);
});
