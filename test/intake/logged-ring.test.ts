import assert from "node:assert/strict";
import { test } from "node:test";
import { LoggedRing } from "../../src/intake/logged-ring.js";
import { RingConsumer } from "../../src/ring/consumer.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { RingMemory } from "../../src/ring/memory.js";
import { RingProducer } from "../../src/ring/producer.js";

const LAYOUTS: readonly RecordLayout[] = ["ticks", "orders", "fills"].map((table) => ({
  table,
  critical: table !== "ticks",
  columns: [{ name: "number", kind: "number" }],
}));
const LOGGED = new Map([
  ["orders", 1],
  ["fills", 2],
]);

function ringOf() {
  const { buffer } = RingMemory.create({ cells: 256, texts: 4, textBytes: 64, tables: LAYOUTS.length });
  const producer = new RingProducer({ buffer, layouts: LAYOUTS, reserve: 0, now: () => 0 });
  const open = (): LoggedRing => {
    const logged = new Map([...LOGGED.values()].map((table) => [table, -1]));
    return new LoggedRing(new RingConsumer(buffer, LAYOUTS, { logged }), LOGGED);
  };
  const record = (table: string, number: number): number => {
    assert.ok(producer.recordOf(table)({ number }));
    return number;
  };
  return { record, open, usage: () => producer.usage };
}

/** Takes all there is; gives the numbers and positions. */
function takeAll(ring: LoggedRing): { readonly number: unknown; readonly position: number }[] {
  const rows: { number: unknown; position: number }[] = [];
  ring.consumer.drain(Infinity, (table, row, position) => {
    rows.push({ number: row["number"], position });
    if (table > 0) ring.taken();
    return true;
  });
  return rows;
}

test("a ring is freed behind the reader while nothing of it goes to the log, else behind the sync", () => {
  const { record, open, usage } = ringOf();
  const ring = open();
  record("ticks", 1);
  takeAll(ring);
  ring.free(false);
  assert.equal(usage(), 0, "others may wait for the log, this ring does not");
  record("orders", 2);
  takeAll(ring);
  ring.free(false);
  const held = usage();
  assert.ok(held > 0);
  const cut = ring.cut();
  ring.free(false);
  assert.equal(usage(), held, "the commit is on its way");
  record("orders", 3);
  takeAll(ring);
  cut.synced();
  ring.free(false);
  assert.equal(usage(), held, "what was taken after the cut is in another commit");
  const [first, second] = [cut, ring.cut()].map((each) => each.positionsOf("orders")[0]!.position);
  assert.ok(first! < second!);
  assert.deepEqual(cut.positionsOf("fills"), []);
  ring.free(true);
  assert.equal(usage(), 0, "nothing waits for the log, as when a policy left the row out");
});

test("a refused row keeps its room until its dead letter is on disk, and is refused by no other consumer then", async () => {
  const { record, open, usage } = ringOf();
  const ring = open();
  record("orders", 1);
  const [refused] = takeAll(ring);
  let write: () => void = () => {};
  const letter = new Promise<void>((resolve) => {
    write = resolve;
  });
  ring.refused(refused!.position, letter);
  ring.free(true);
  assert.ok(usage() > 0);
  assert.deepEqual(takeAll(open()), [refused], "the letter may never have been written");
  write();
  await letter;
  assert.deepEqual(takeAll(open()), []);
  ring.free(true);
  assert.equal(usage(), 0);
});
