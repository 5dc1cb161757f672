import assert from "node:assert/strict";
import { test } from "node:test";
import { parseObject } from "../../../src/intake/json.js";
import { Normaliser } from "../../../src/intake/normalise/normaliser.js";
import { ms } from "../../../src/native/instant-number.js";
import { NumberText } from "../../../src/native/number-text.js";

const TICK = { symbol: "X", kind: "depth", ts_exchange: 1n, ts_local: 2n };

/** The row that is stored for what is given: keys without a value are not there. */
function stored(given: object, depth = 3, receivedAt?: ReturnType<typeof ms>): Record<string, unknown> {
  const row: Record<string, unknown> = { ...TICK, ...given };
  const table = new Normaliser({ depth }).of("market_data");
  table.normalise(row, receivedAt);
  const once = structuredClone(row);
  table.normalise(row, receivedAt);
  assert.deepEqual(structuredClone(row), once, "once more changes nothing");
  return Object.fromEntries(
    Object.entries(row).filter(([key, value]) => value !== undefined && !(key in TICK)),
  );
}

function refuses(given: object, message: RegExp): void {
  assert.throws(() => stored(given), { code: "VALUE_REJECTED", message });
}

test("levels as pairs, as longer lists or by name become columns, the best one twice", () => {
  const expected = {
    bid_px: ["100.5", 100],
    bid_sz: ["1", 2],
    bid_px1: "100.5",
    bid_sz1: "1",
    ask_px: [101n],
    ask_sz: [3],
    ask_px1: 101n,
    ask_sz1: 3,
  };
  assert.deepEqual(
    stored({
      bids: [
        ["100.5", "1"],
        [100, 2],
      ],
      asks: [[101n, 3]],
    }),
    expected,
  );
  // OKX gives four: price, size, deprecated, orders.
  assert.deepEqual(
    stored({
      bids: [
        ["100.5", "1", "0", "4"],
        [100, 2, 0, 1],
      ],
      asks: [[101n, 3, "0"]],
    }),
    expected,
  );
  const named = {
    bids: [
      { px: "100.5", sz: "1", n: 7 },
      { price: 100, size: 2 },
    ],
    asks: [{ px: 101n, sz: 3 }],
  };
  assert.deepEqual(stored(named), expected);
});

test("levels beyond the depth are cut, given either way", () => {
  const bids = [
    [5, 1],
    [4, 2],
    [3, 3],
    [2, 4],
  ];
  const whole = { bid_px: [5, 4, 3, 2], bid_sz: [1, 2, 3, 4] };
  const cut = { bid_px: [5, 4], bid_sz: [1, 2], bid_px1: 5, bid_sz1: 1 };
  assert.deepEqual(stored({ bids }, 2), cut);
  assert.deepEqual(stored(whole, 2), cut);
  assert.deepEqual(stored({ bids }, 9), { ...whole, bid_px1: 5, bid_sz1: 1 });
  // What lies beyond is not looked at.
  assert.deepEqual(stored({ bids: [...bids.slice(0, 2), "broken"] }, 2), cut);
});

test("the best level is taken from the levels only where the row says none", () => {
  const bids = [[5, 1]];
  assert.deepEqual(stored({ bids, bid_px1: 6, bid_sz1: 7 }), {
    bid_px: [5],
    bid_sz: [1],
    bid_px1: 6,
    bid_sz1: 7,
  });
  assert.deepEqual(stored({ bids, bid_px1: null }), { bid_px: [5], bid_sz: [1], bid_px1: null });
  assert.deepEqual(stored({ bids: [], asks: [] }), { bid_px: [], bid_sz: [], ask_px: [], ask_sz: [] });
  assert.deepEqual(stored({ bid_px1: 6 }), { bid_px1: 6 });
});

test("crossed books, equal prices and sizes of zero are stored as they came", () => {
  const given = {
    bids: [
      [7, 0],
      [7, 1],
    ],
    asks: [
      ["6.9", 1],
      [6.9, 2],
    ],
  };
  const { bid_px, bid_sz, ask_px } = stored(given);
  assert.deepEqual({ bid_px, bid_sz, ask_px }, { bid_px: [7, 7], bid_sz: [0, 1], ask_px: ["6.9", 6.9] });
});

test("sides that are not best first are refused, so are sides that were swapped", () => {
  refuses(
    {
      bids: [
        [4, 1],
        [5, 1],
      ],
    },
    /bids: .* is not best first: level 2 is better than the one before/,
  );
  refuses(
    {
      asks: [
        ["9.1", 1],
        ["10.2", 1],
        ["10.1", 1],
      ],
    },
    /asks: .* is not best first: level 3/,
  );
  refuses(
    {
      bids: [
        ["9.9", 1],
        ["10.1", 1],
      ],
    },
    /not best first/,
  );
});

test("levels that are none are refused by number", () => {
  refuses({ bids: [[5, 1], [4]] }, /bids: .* at level 2 is not \[price, size\]/);
  refuses({ asks: [{ px: 1 }] }, /asks: .* at level 1 is not/);
  refuses({ asks: [5, 1] }, /at level 1 is not/);
  refuses({ bids: null }, /bids: null is not a list of levels/);
  refuses({ bids: "100@1" }, /is not a list of levels/);
  refuses({ bids: [], bid_px: [] }, /bids: .* is given beside bid_px and bid_sz/);
  refuses({ bid_px: [2, 1], bid_sz: [1] }, /bid_sz: .* has 1 elements beside 2 of bid_px/);
});

test("columns that are no lists are left to their column, which refuses them", () => {
  assert.deepEqual(stored({ bid_px: null, bid_sz: "1" }), { bid_px: null, bid_sz: "1" });
  assert.deepEqual(stored({ ask_px: "12", ask_sz: [1] }), { ask_px: "12", ask_sz: [1], ask_sz1: 1 });
});

test("levels of JSON keep every digit", () => {
  const row = parseObject('{"bids":[[0.10000000000000001,123456789012345678.5]]}');
  const { bid_px, bid_sz } = stored(row);
  assert.deepEqual(
    [bid_px, bid_sz],
    [[new NumberText("0.10000000000000001")], [new NumberText("123456789012345678.5")]],
  );
});

test("a row without times gets those it can have, and says whose they are", () => {
  const at = ms(1_700_000_000_000);
  const bare = { symbol: "X", kind: "quote" };
  const normalised = (given: object, receivedAt?: ReturnType<typeof ms>): unknown => {
    const row = { ...bare, ...given };
    new Normaliser({ depth: 5 }).of("market_data").normalise(row, receivedAt);
    return row;
  };
  assert.deepEqual(normalised({}, at), { ...bare, ts_local: at, ts_exchange: at, ts_exchange_src: "local" });
  const given = { ts_local: 5n };
  assert.deepEqual(normalised(given, at), {
    ...bare,
    ts_local: 5n,
    ts_exchange: 5n,
    ts_exchange_src: "local",
  });
  assert.deepEqual(normalised({ ts_exchange: 4n }, at), { ...bare, ts_local: at, ts_exchange: 4n });
  assert.throws(
    () => normalised({ ts_exchange_src: "venue" }, at),
    /ts_exchange is required where ts_exchange_src says venue/,
  );
});
