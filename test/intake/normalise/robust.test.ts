import assert from "node:assert/strict";
import { test } from "node:test";
import { Normaliser } from "../../../src/intake/normalise/normaliser.js";
import { ValueError } from "../../../src/native/block.js";
import { Micros } from "../../../src/native/micros.js";
import { NumberText } from "../../../src/native/number-text.js";
import { OtherValue } from "../../../src/ring/value-reader.js";
import { EXPECTED_TABLES } from "../../../src/schemas/tables.generated.js";
import { type Random, randomOf } from "../../support/random.js";

/** What may stand in a row that comes from a ring or a request, the worst of it most. */
function anyValue(pick: Random, depth = 0): unknown {
  const inner = (): unknown => (depth > 2 ? 1 : anyValue(pick, depth + 1));
  return pick.of<() => unknown>([
    () => undefined,
    () => null,
    () =>
      pick.of([
        "",
        " ",
        "buy",
        "BUY",
        "c1",
        "c2",
        "X",
        "new",
        "filled",
        "bust",
        "D",
        "__proto__",
        "\ud800",
        "x".repeat(5000),
      ]),
    () => pick.of([0, 1, -1, 2.5, NaN, Infinity, -0, 1e308]),
    () => pick.of([0n, 2n ** 70n]),
    () => pick.of([true, false]),
    () => new NumberText(pick.of(["1", "-1e5", "99999999999999999999"])),
    () => new Micros(1, 0),
    () => new OtherValue("Symbol"),
    () => ({ toString: 1, valueOf: null, px: inner(), sz: inner() }),
    () => Object.create(null) as object,
    () => Array.from({ length: pick.below(4) }, inner),
    () => [
      [inner(), inner()],
      [inner(), inner(), inner()],
    ],
  ])();
}

test("whatever stands in a row, it is normalised or refused for a reason, and later rows are not harmed", (t) => {
  const pick = randomOf(t);
  const tables = new Normaliser({ depth: 3, remember: 50 });
  let refused = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const { name, columns } = pick.of(EXPECTED_TABLES);
    const table = tables.of(name);
    const row: Record<string, unknown> = {};
    for (const key of [...columns.map((column) => column.name), ...table.keys])
      if (pick.below(3) === 0) row[key] = anyValue(pick);
    try {
      table.normalise(row);
      table.taken(row);
    } catch (error) {
      assert.ok(error instanceof ValueError, String((error as Error).stack));
      refused += 1;
    }
  }
  const { orders, fills } = tables.stats();
  assert.ok(refused > 1000 && refused < 19_000, `${refused} refused`);
  assert.ok(orders <= 50 && fills <= 50);
});
