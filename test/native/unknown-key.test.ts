import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../../src/base/nearest.js";
import { rowKeys, unknownKey } from "../../src/native/unknown-key.js";

test("the nearest name is the one a person meant", () => {
  const names = ["bid_px1", "ask_px1", "symbol", "ts_exchange", "ts_local"];
  for (const [typed, meant] of [
    ["bid_px", "bid_px1"],
    ["Symbol", "symbol"],
    ["symbl", "symbol"],
    ["smybol", "symbol"],
    ["tsExchange", "ts_exchange"],
    ["price", undefined],
    ["x", undefined],
    ["", undefined],
  ] as const) {
    assert.equal(nearest(typed, names), meant, typed);
  }
});

test("the first key that is no column is found, with the column meant", () => {
  const keys = rowKeys([
    { name: "symbol", type: "String", required: true },
    { name: "px", type: "Float64", required: true },
    { name: "run", type: "UInt64", required: true, stamped: true },
  ]);
  assert.equal(unknownKey({ symbol: 1, px: 2 }, keys), undefined);
  assert.equal(unknownKey({}, keys), undefined);
  assert.deepEqual(unknownKey({ px: 1, sybmol: 1, other: 1 }, keys), { key: "sybmol", nearest: "symbol" });
  assert.deepEqual(unknownKey({ quantity: 1 }, keys), { key: "quantity" });
  assert.deepEqual(unknownKey({ run: 1 }, keys), { key: "run" }, "a stamped column is not a row's to set");
});
