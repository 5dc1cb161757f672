import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, test } from "node:test";
import { repositoryFile, storeRows } from "../schemas/database.js";
import { startMigratedEngine } from "../support/migrated.js";
import { panelsOf } from "./panels.js";

const { clickhouse } = await startMigratedEngine({ after });
await storeRows(
  clickhouse,
  repositoryFile("test/schemas/review.ndjson")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { table: string }),
);

/** Tables of which the sample rows have none at that time, or nothing that the panel shows. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(["Data gaps"]);

/** What Grafana's ClickHouse data source puts in place of its macros, for the day of the sample. */
function filled(sql: string): string {
  return sql
    .replace(
      /\$__timeFilter\(([\w.]+)\)/g,
      "$1 >= toDateTime('2026-03-01 00:00:00') AND $1 <= toDateTime('2026-03-04 00:00:00')",
    )
    .replaceAll("$__interval_s", "60")
    .replaceAll("$__fromTime", "toDateTime('2026-03-01 00:00:00')")
    .replaceAll("$__toTime", "toDateTime('2026-03-04 00:00:00')")
    .replace(/\$\{symbol:singlequote\}/g, "'AAA','BBB'");
}

for (const { title, sql } of panelsOf("coldpath-trading")) {
  test(`ClickHouse answers the panel ${title}`, async () => {
    assert.equal(sql.length, 1);
    const rows = await clickhouse.rows(filled(sql[0]!));
    assert.ok(MAY_BE_EMPTY.has(title) || rows.length > 0, "it shows something");
  });
}

test("ClickHouse takes each statement of the runbooks", async () => {
  let taken = 0;
  for (const page of readdirSync("docs/runbooks")) {
    for (const [, sql = ""] of repositoryFile(`docs/runbooks/${page}`).matchAll(
      /`coldpath query "([^`]+)"`/g,
    )) {
      // Tables of ClickHouse's own log are there only where they are switched on.
      if (sql.includes("query_log")) continue;
      await clickhouse.rows(sql);
      taken += 1;
    }
  }
  assert.ok(taken >= 10, `${taken} statements`);
});
