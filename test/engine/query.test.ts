import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startTestEngine } from "../support/engine.js";

const { clickhouse } = await startTestEngine({ after });

test("a table can be made, filled and read", async () => {
  await clickhouse.command("CREATE TABLE filled (a UInt64, s String) ENGINE = MergeTree ORDER BY a");
  await clickhouse.insert({ sql: "INSERT INTO filled FORMAT TSV", body: Buffer.from("1\tone\n2\ttwo\n") });
  assert.equal(await clickhouse.text("SELECT * FROM filled ORDER BY a FORMAT TSV"), "1\tone\n2\ttwo\n");
});
