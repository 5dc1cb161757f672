import assert from "node:assert/strict";
import { test } from "node:test";
import { Normaliser } from "../../../src/intake/normalise/normaliser.js";

type Row = Record<string, unknown>;

/** A recorder's rows one after the other; each gives what is stored of it. */
class Tape {
  readonly #tables: Normaliser;

  constructor(remember?: number) {
    this.#tables = new Normaliser(remember === undefined ? { depth: 5 } : { depth: 5, remember });
  }

  order(row: Row): Row {
    return this.#take("orders", row);
  }

  fill(row: Row): Row {
    return this.#take("fills", row);
  }

  get stats() {
    return this.#tables.stats();
  }

  /** A row that its table refused afterwards. */
  refused(row: Row): void {
    this.#tables.of("orders").normalise({ ...row });
  }

  #take(table: string, given: Row): Row {
    const row = { ...given };
    this.#tables.of(table).normalise(row);
    this.#tables.of(table).taken(row);
    return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
  }
}

const FIRST = {
  client_order_id: "c1",
  strategy: "s",
  account_id: "a",
  symbol: "X",
  side: "BUY",
  qty: "10",
  limit_px: "99.5",
  order_type: "LIMIT",
  tif: "GTC",
  status: "sent",
};
const KNOWN = { ...FIRST, side: "buy", order_type: "limit", tif: "gtc" };

const needs = (column: string): object => ({
  code: "VALUE_REJECTED",
  message: new RegExp(`^column ${column} is required: no earlier`),
});

test("steps that carry only their ids are completed by the steps before them", () => {
  const tape = new Tape();
  assert.deepEqual(tape.order(FIRST), KNOWN);
  const ack = tape.order({ client_order_id: "c1", broker_order_id: "b1", status: "NEW" });
  assert.deepEqual(ack, { ...KNOWN, broker_order_id: "b1", status: "new" });
  // From here on the broker's id alone will do.
  const part = tape.order({ broker_order_id: "b1", status: 1, filled_qty: "4" });
  assert.deepEqual(part, { ...ack, status: "partially_filled", filled_qty: "4" });
  const canceled = tape.order({ client_order_id: "c1", status: "CANCELED" });
  assert.deepEqual(
    canceled,
    { ...ack, status: "canceled" },
    "what is filled so far is the step's own to say",
  );
});

test("what a step says itself stands, NULL included, and is what later steps get", () => {
  const tape = new Tape();
  tape.order(FIRST);
  const amended = tape.order({ client_order_id: "c1", qty: "7", limit_px: null, status: "replaced" });
  assert.deepEqual([amended["qty"], amended["limit_px"], amended["tif"]], ["7", null, "gtc"]);
  const filled = tape.order({ client_order_id: "c1", status: "filled" });
  assert.deepEqual([filled["qty"], filled["limit_px"]], ["7", null]);
});

test("a replacement is completed by the order it replaces, along the chain, but has a broker's id of its own", () => {
  const tape = new Tape();
  tape.order({ ...FIRST, broker_order_id: "b1" });
  const second = tape.order({
    client_order_id: "c2",
    orig_client_order_id: "c1",
    limit_px: "98",
    status: "replaced",
  });
  assert.deepEqual(second, {
    ...KNOWN,
    client_order_id: "c2",
    orig_client_order_id: "c1",
    limit_px: "98",
    status: "replaced",
  });
  const third = tape.order({ client_order_id: "c3", orig_client_order_id: "c2", status: "pending_replace" });
  assert.deepEqual([third["limit_px"], third["strategy"], third["broker_order_id"]], ["98", "s", undefined]);
  assert.equal(tape.order({ client_order_id: "c2", status: "filled" })["orig_client_order_id"], "c1");
});

test("what nobody said before is refused, with the column that is missing", () => {
  const tape = new Tape();
  assert.throws(() => tape.order({ client_order_id: "c1", status: "new" }), needs("strategy"));
  assert.throws(() => tape.order({ broker_order_id: "b1", status: "new" }), needs("client_order_id"));
  assert.throws(() => tape.order({ ...FIRST, qty: undefined }), needs("qty"));
  assert.throws(
    () => tape.fill({ fill_id: "f", client_order_id: "c1", fill_qty: 1, fill_px: 1 }),
    needs("symbol"),
  );
  assert.deepEqual(tape.stats, { orders: 0, fills: 0, forgottenOrders: 0 });
});

test("a step that was refused teaches nothing", () => {
  const tape = new Tape();
  tape.refused({ ...FIRST, qty: "much" });
  assert.throws(() => tape.order({ client_order_id: "c1", status: "new" }), needs("strategy"));
});

test("an id that two orders have completes neither by the other", () => {
  const tape = new Tape();
  tape.order({ ...FIRST, broker_order_id: "1" });
  tape.order({ ...FIRST, client_order_id: "c2", symbol: "Y", strategy: "t", broker_order_id: "1" });
  // Order ids of Binance count per symbol.
  assert.throws(() => tape.order({ broker_order_id: "1", status: "new" }), needs("client_order_id"));
  assert.equal(tape.order({ broker_order_id: "1", symbol: "Y", status: "new" })["client_order_id"], "c2");
  assert.equal(tape.order({ broker_order_id: "1", symbol: "X", status: "new" })["client_order_id"], "c1");
  assert.throws(() => tape.order({ client_order_id: "c1", side: "SELL", status: "new" }), needs("strategy"));
});

test("an id that comes again after its order has ended is a new order", () => {
  const tape = new Tape();
  tape.order(FIRST);
  tape.order({ client_order_id: "c1", status: "filled" });
  const late = tape.order({ client_order_id: "c1", status: "new" });
  assert.equal(late["limit_px"], "99.5", "a late report is of the old one");
  const { limit_px: _, order_type: __, ...market } = FIRST;
  const again = tape.order(market);
  assert.equal(again["limit_px"], undefined, "a market order has no limit");
  assert.equal(tape.order({ client_order_id: "c1", status: "new" })["limit_px"], undefined);
});

test("a fill is completed by its order, a bust by its fill as it was corrected last", () => {
  const tape = new Tape();
  tape.order({ ...FIRST, broker_order_id: "b1" });
  const fill = tape.fill({
    fill_id: "f1",
    broker_order_id: "b1",
    fill_qty: "4",
    fill_px: "99.5",
    venue: "V",
  });
  const known = {
    client_order_id: "c1",
    broker_order_id: "b1",
    strategy: "s",
    account_id: "a",
    symbol: "X",
    side: "buy",
    venue: "V",
  };
  assert.deepEqual(fill, { ...known, fill_id: "f1", fill_qty: "4", fill_px: "99.5" });
  const correction = tape.fill({
    fill_id: "f2",
    exec_type: "G",
    corrects_fill_id: "f1",
    fill_qty: "3",
    fill_px: "99.4",
  });
  assert.deepEqual(correction, {
    ...known,
    fill_id: "f2",
    exec_type: "correct",
    corrects_fill_id: "f1",
    fill_qty: "3",
    fill_px: "99.4",
  });
  // The same report twice is still one fill.
  tape.fill({ fill_id: "f1", broker_order_id: "b1", fill_qty: "3", fill_px: "99.4", venue: "V" });
  const bust = tape.fill({ fill_id: "f3", exec_type: "H", corrects_fill_id: "f2" });
  assert.deepEqual([bust["fill_qty"], bust["fill_px"], bust["symbol"]], ["3", "99.4", "X"]);
  assert.throws(
    () => tape.fill({ fill_id: "f4", exec_type: "correct", corrects_fill_id: "f1", fill_qty: "1" }),
    needs("fill_px"),
  );
});

test("memory is bounded: finished orders leave first, then those not heard of for longest, counted", () => {
  const tape = new Tape(3);
  const order = (id: string): Row => tape.order({ ...FIRST, client_order_id: id });
  const step = (id: string, status = "new"): Row => tape.order({ client_order_id: id, status });
  order("c1");
  order("c2");
  order("c3");
  step("c2", "filled");
  order("c4");
  assert.throws(() => step("c2"), needs("strategy"));
  assert.deepEqual(tape.stats, { orders: 3, fills: 0, forgottenOrders: 0 });
  step("c1");
  order("c5");
  assert.throws(() => step("c3"), needs("strategy"));
  for (const id of ["c1", "c4", "c5"]) assert.equal(step(id)["strategy"], "s");
  assert.deepEqual(tape.stats, { orders: 3, fills: 0, forgottenOrders: 1 });
  for (let number = 0; number < 100_000; number += 1) order(`same-${number % 7}`);
  assert.equal(tape.stats.orders, 3);
});

test("an order has nothing of one that was forgotten, not even of one that was forgotten as it came", () => {
  const tape = new Tape(1);
  const order = (id: string, more: Row = {}): Row => tape.order({ ...FIRST, client_order_id: id, ...more });
  const step = (id: string): Row => tape.order({ client_order_id: id, status: "new" });
  const bare = { strategy: "t", symbol: "Y", side: "sell", qty: "1" };
  order("c1");
  order("c2");
  tape.order({ ...bare, client_order_id: "c3", status: "sent" });
  assert.deepEqual(step("c3"), { ...bare, client_order_id: "c3", status: "new" });
  for (const id of ["c1", "c2"]) assert.throws(() => step(id), needs("strategy"));
  order("c4", { status: "filled", broker_order_id: "b4" });
  tape.order({ ...bare, client_order_id: "c5", status: "sent" });
  assert.deepEqual(step("c5"), { ...bare, client_order_id: "c5", status: "new" });
  for (const id of ["c3", "c4"]) assert.throws(() => step(id), needs("strategy"));
  assert.throws(() => tape.order({ broker_order_id: "b4", status: "new" }), needs("client_order_id"));
  assert.equal(tape.stats.orders, 1);
});
