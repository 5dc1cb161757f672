import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLogged } from "../admin/logged-service.js";
import { startTables } from "../intake/fixture.js";
import { temporaryFolder } from "../support/folder.js";
import { readPrometheusText } from "../support/prometheus-text.js";

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
