import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { CASES, sameAsTheEngine } from "./example-cases.js";
import { openPlace, startTables } from "./fixture.js";

/** Recordings of live markets that are not part of the repository; COLDPATH_TEST_DATA says where they are. */
const DATA = process.env["COLDPATH_TEST_DATA"] ?? join("..", "shared", "data");
const FILES: Readonly<
  Record<string, { readonly folder: string; readonly files: RegExp; readonly rows: number }>
> = {
  "fx-l1": { folder: "fx-l1", files: /\.csv\.gz$/, rows: 1_050_692 },
  "binance-l1": { folder: "binance-tables", files: /^l1-quotes/, rows: 139_217 },
  "binance-trades": { folder: "binance-tables", files: /^trades/, rows: 37_675 },
  "binance-book": { folder: "binance-tables", files: /^book/, rows: 24_885 },
  "bitstamp-orders": { folder: "order-events", files: /orders\.csv\.gz$/, rows: 50_414 },
};

const skip = existsSync(DATA) ? false : `there are no recordings at ${DATA}`;
const clickhouse = skip === false ? await startTables({ after }) : undefined;

for (const example of CASES) {
  const { folder, files: pattern, rows } = FILES[example.example]!;
  test(`all of ${folder} through examples/${example.example} is stored as the engine reads it`, {
    skip,
  }, async (t) => {
    const place = await openPlace(t, clickhouse!);
    const paths = readdirSync(join(DATA, folder))
      .filter((name) => pattern.test(name))
      .map((name) => join(DATA, folder, name));
    const ingest = () =>
      place.ingest({
        table: example.table,
        files: paths,
        mapping: join("examples", example.example, "mapping.yaml"),
      });
    const report = await ingest();
    assert.deepEqual([report.rows, report.stored, report.rejected, report.lost], [rows, rows, 0, 0]);
    await clickhouse!.command(`OPTIMIZE TABLE ${example.table} FINAL`, { timeoutMs: 600_000 });
    const contents = paths.map((path) => ({
      fileName: basename(path, ".gz"),
      content: gunzipSync(readFileSync(path)),
    }));
    const figures = await sameAsTheEngine(clickhouse!, example, contents, report);
    const again = await ingest();
    assert.deepEqual([again.stored, again.alreadyStored], [0, rows]);
    t.diagnostic(`${rows} rows, ${report.rowsPerSecond} rows/s; read again ${again.rowsPerSecond} rows/s`);
    for (const [column, figure] of Object.entries(figures)) t.diagnostic(`${column}: ${figure}`);
  });
}
