import assert from "node:assert/strict";
import { test } from "node:test";
import { MARKET_DATA_LADDER } from "../../src/config/degrade.js";
import { Ladder, stricter } from "../../src/overload/ladder.js";
import type { PolicyRules } from "../../src/policy/policy.js";

const OFF: PolicyRules = { dedup: "none", sample: 0, conflate: 0, series: 10 };
const ladder = new Ladder(MARKET_DATA_LADDER);

test("market data is thinned out harder and harder, then quotes may be dropped, then trades", () => {
  const levels = Array.from({ length: 8 }, (_, level) => {
    const { dedup, sample, conflate } = ladder.rulesAt(level);
    return [ladder.nameOf(level), dedup, sample, conflate, ladder.droppableAt(level)].join(" / ");
  });
  assert.deepEqual(levels, [
    "normal / none / 0 / 0 / nothing",
    "dedup / bbo / 0 / 0 / nothing",
    "sample 10ms / bbo / 10 / 0 / nothing",
    "sample 50ms / bbo / 50 / 0 / nothing",
    "sample 250ms / bbo / 250 / 0 / nothing",
    "conflate 1000ms / bbo / 0 / 1000 / nothing",
    "drop_quotes / bbo / 0 / 1000 / first",
    "drop_trades / bbo / 0 / 1000 / all",
  ]);
});

test("the next level that lets more be dropped is found from any", () => {
  assert.deepEqual(
    [0, 5, 6, 7].map((level) => ladder.dropsMoreThan(level)),
    [6, 6, 7, undefined],
  );
});

test("a table without steps drops its oldest rows", () => {
  const none = new Ladder([]);
  assert.equal(none.droppableAt(0), "all");
  assert.equal(none.dropsMoreThan(0), undefined);
});

test("what leaves out more holds, the user's policy or the level's", () => {
  const cases = [
    [{}, { dedup: "bbo" }, { dedup: "bbo" }],
    [{ dedup: "bbo" }, {}, { dedup: "bbo" }],
    [{ sample: 50 }, { sample: 10 }, { sample: 50 }],
    [{ sample: 50 }, { sample: 250 }, { sample: 250 }],
    [{ sample: 50 }, { conflate: 1000 }, { conflate: 1000 }],
    [{ sample: 5000 }, { conflate: 1000 }, { conflate: 5000 }],
    [{ conflate: 100 }, { sample: 250 }, { conflate: 250 }],
    [{ conflate: 100 }, { sample: 10 }, { conflate: 100 }],
  ] as const;
  for (const [user, level, expected] of cases) {
    const rules = { dedup: "none", sample: 0, conflate: 0, ...level } as const;
    assert.deepEqual(stricter({ ...OFF, ...user }, rules), { ...OFF, ...expected });
  }
});
