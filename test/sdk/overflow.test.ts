import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { us } from "../../src/native/instant-number.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { RingMemory } from "../../src/ring/memory.js";
import { RingProducer } from "../../src/ring/producer.js";
import { Overflow } from "../../src/sdk/overflow.js";
import { temporaryFolder } from "../support/folder.js";

const LAYOUT: RecordLayout = {
  table: "orders",
  critical: true,
  columns: [
    { name: "ts", kind: "time" },
    { name: "id", kind: "text" },
    { name: "kind", kind: "name" },
  ],
};
const NOW = 1_700_000_000_000_000;
const now = (): number => NOW;

async function linesIn(folder: string): Promise<string[]> {
  const orders = join(folder, "orders");
  const texts = await Promise.all(
    (await readdir(orders)).map((name) => readFile(join(orders, name), "utf8")),
  );
  return texts.flatMap((text) => text.trimEnd().split("\n")).sort();
}

test("a producer that goes on with a ring leaves the files of the one before alone", async (t) => {
  const folder = await temporaryFolder(t);
  for (const id of ["first", "second"]) {
    const overflow = new Overflow({ folder, name: "1.a-1" }, now);
    assert.ok(overflow.append(LAYOUT, { id }, {}));
    overflow.complete();
  }
  assert.deepEqual(await linesIn(folder), ['{"id":"first"}', '{"id":"second"}']);
});

test("a file that cannot be completed is a warning, and does not reach the thread that records", async (t) => {
  const folder = await temporaryFolder(t);
  const overflow = new Overflow({ folder, name: "1.a-1" }, now);
  assert.ok(overflow.append(LAYOUT, { id: "x" }, {}));
  await rm(folder, { recursive: true });
  const warned = once(process, "warning");
  overflow.complete();
  const [warning] = await warned;
  assert.match(warning.message, /^overflow in .*ENOENT/);
  assert.ok(overflow.append(LAYOUT, { id: "y" }, {}));
  overflow.complete();
  assert.deepEqual(await linesIn(folder), ['{"id":"y"}']);
});

test("a row says in a file what its record would: getters of its class, constants, its own nanoseconds", async (t) => {
  const folder = await temporaryFolder(t);
  const overflow = new Overflow({ folder, name: "1.a-1" }, now);
  const { buffer } = RingMemory.create({ cells: 64, texts: 8, textBytes: 64, tables: 1 });
  const producer = new RingProducer({
    buffer,
    layouts: [LAYOUT],
    reserve: 0,
    now,
    append: (...row) => overflow.append(...row),
  });
  const record = producer.recordOf("orders", { kind: "new" });
  class Order {
    readonly #id = "private";
    get id(): string {
      return this.#id;
    }
  }
  while (record({ id: "in the ring" }) && producer.usage < 0.9);
  assert.ok(record(new Order() as unknown as { id: string }));
  assert.ok(record({ ts: us(NOW), ts_ns: 5 }));
  assert.ok(record({ ts: us(NOW), ts_ns: 1000 }));
  overflow.complete();
  assert.deepEqual(
    (await linesIn(folder)).filter((line) => !line.includes("in the ring")),
    [
      '{"id":"private","kind":"new"}',
      `{"ts":"${NOW} us + 1000 ns","kind":"new"}`,
      `{"ts":"${NOW}005","kind":"new"}`,
    ],
  );
});
