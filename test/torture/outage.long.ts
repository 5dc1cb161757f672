import assert from "node:assert/strict";
import { test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { outage } from "./outage.js";

/** Garbage of a young process, ring and window; the rows themselves would be some 100 MiB. */
const GROWTH_MAX = 64 * MIB;

test("ClickHouse is away for a minute under 10,000 critical rows/s: each is stored once, memory stays", async (t) => {
  const { rows, rssBefore, rssMost } = await outage(t, 60_000);
  t.diagnostic(`${rows} rows, ${Math.round((rssMost - rssBefore) / MIB)} MiB more while it was away`);
  assert.ok(rssMost - rssBefore <= GROWTH_MAX, `${(rssMost - rssBefore) / MIB} MiB`);
});
