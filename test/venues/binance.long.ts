import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CASES } from "../intake/example-cases.js";
import { CAPTURES, DATA, openPlace, ROWS, record, skip } from "./binance-recording.js";

const TABLES = [
  ["binance-l1", "l1-quotes", 139_217],
  ["binance-trades", "trades", 37_675],
  ["binance-book", "book-top10", 24_885],
] as const;

test("Binance captures replayed through the recorder are stored as the prepared tables say, row for row", {
  skip,
}, async (t) => {
  const place = await openPlace(t);
  const policy = { dedup: "none", depth: 10 } as const;
  await record(t, place, { id: "full", captures: CAPTURES, rows: ROWS, policy });
  await place.ask(async (clickhouse) => {
    for (const [example, file, rows] of TABLES) {
      const { staging, columns } = CASES.find((each) => each.example === example)!;
      await clickhouse.command(
        `CREATE TABLE ${example.replace("-", "_")} (${staging}) ENGINE = MergeTree ORDER BY tuple()`,
      );
      await clickhouse.insert({
        sql: `INSERT INTO ${example.replace("-", "_")} FORMAT CSVWithNames`,
        body: readFileSync(join(DATA, "binance-tables", `${file}.csv.gz`)),
        encoding: "gzip",
      });
      const { kind, ...values } = columns("");
      const stored = `SELECT ${Object.keys(values)} FROM market_data WHERE kind = ${kind}`;
      const prepared = `SELECT ${Object.entries(values).map(([name, value]) => `${value} AS ${name}`)} FROM ${example.replace("-", "_")}`;
      const [counted] = await clickhouse.rows(
        `SELECT (SELECT count() FROM (${stored})) AS stored, (SELECT count() FROM (SELECT DISTINCT * FROM (${stored}))) AS distinct_rows,
                (SELECT count() FROM (${stored} EXCEPT ${prepared})) AS only_stored,
                (SELECT count() FROM (${prepared} EXCEPT ${stored})) AS only_prepared`,
      );
      assert.deepEqual(counted, {
        stored: `${rows}`,
        distinct_rows: `${rows}`,
        only_stored: "0",
        only_prepared: "0",
      });
      t.diagnostic(`${file}: ${rows} rows equal, both ways`);
    }
  });
});
