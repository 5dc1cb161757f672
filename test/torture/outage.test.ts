import { test } from "node:test";
import { outage } from "./outage.js";

test("ClickHouse is away for three seconds under 10,000 critical rows/s: each is stored once", async (t) => {
  const { rows } = await outage(t, 3_000);
  t.diagnostic(`${rows} rows`);
});
