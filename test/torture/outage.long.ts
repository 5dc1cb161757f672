import assert from "node:assert/strict";
import { test } from "node:test";
import { MIB } from "../../src/base/units.js";
import { outage } from "./outage.js";

/** The window in memory; the rows themselves would be some 100 MiB. */
const GROWTH_MAX = 64 * MIB;

test("ClickHouse is away for a minute under 10,000 critical rows/s: each is stored once, memory stays", async (t) => {
  const { rows, heldBefore, heldMost } = await outage(t, 60_000);
  t.diagnostic(`${rows} rows, ${Math.round((heldMost - heldBefore) / MIB)} MiB more while it was away`);
  assert.ok(heldMost - heldBefore <= GROWTH_MAX, `${(heldMost - heldBefore) / MIB} MiB`);
});
