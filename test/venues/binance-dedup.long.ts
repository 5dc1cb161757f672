import assert from "node:assert/strict";
import { test } from "node:test";
import { CAPTURES, ETHUSDT_ROWS, openPlace, ROWS, record, skip } from "./binance-recording.js";

/** What plain SQL keeps of the full recording, as the symbol, kind and number of each row and the rows left out before it. */
const NEWS = `
  WITH numbered AS (
    SELECT symbol, kind, exchange_seq, seq, row_number() OVER w AS n,
           toString((bid_px1, bid_sz1, ask_px1, ask_sz1, bid_px, bid_sz, ask_px, ask_sz)) AS said,
           lagInFrame(said, 1, '') OVER w AS said_before
    FROM market_data WHERE recorder = 'full'
    WINDOW w AS (PARTITION BY symbol, kind ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))
  SELECT symbol, kind, exchange_seq,
         toInt64(n) - lagInFrame(toInt64(n), 1, 0) OVER (PARTITION BY symbol, kind ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) - 1 AS skipped
  FROM numbered WHERE kind = 'trade' OR said != said_before`;
const KEPT = `SELECT symbol, kind, exchange_seq, toInt64(skipped) AS skipped FROM market_data WHERE recorder = 'thin'`;

test("with dedup the rows kept are those that lagInFrame finds in the full recording, and skipped adds up", {
  skip,
}, async (t) => {
  const place = await openPlace(t);
  // Binance repeats no quote. Of two connections to one market the second does, and of a depth of five levels what lies below.
  const captures = [...CAPTURES, CAPTURES[1]!];
  const all = { captures, rows: ROWS + ETHUSDT_ROWS };
  await record(t, place, { ...all, id: "full", policy: { dedup: "none", depth: 5 } });
  const thin = await record(t, place, { ...all, id: "thin", policy: { dedup: "bbo", depth: 5 } });
  const { stored, deduplicated } = thin;
  assert.equal(stored + deduplicated, all.rows);
  assert.ok(deduplicated > 0);
  await place.ask(async (clickhouse) => {
    const [counted] = await clickhouse.rows(
      `SELECT (SELECT count() FROM (${KEPT})) AS kept, (SELECT count() FROM (${NEWS})) AS news,
              (SELECT count() FROM (${KEPT} EXCEPT ${NEWS})) AS only_kept, (SELECT count() FROM (${NEWS} EXCEPT ${KEPT})) AS only_news,
              (SELECT sum(skipped) FROM (${KEPT})) +
              (SELECT ifNull(sum(rows), 0) FROM system_events WHERE recorder = 'thin' AND kind = 'data_gap') AS told`,
    );
    const [kept, left] = [`${stored}`, `${deduplicated}`];
    assert.deepEqual(counted, { kept, news: kept, only_kept: "0", only_news: "0", told: left });
    const rows = await clickhouse.rows<Record<string, string>>(
      `SELECT symbol, kind, count() AS n, sum(skipped) AS left_out FROM market_data WHERE recorder = 'thin' GROUP BY ALL ORDER BY ALL`,
    );
    for (const row of rows) t.diagnostic(JSON.stringify(row));
  });
});
