import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Droppable } from "../../src/buffer/drop-permit.js";
import type { DroppedRows } from "../../src/buffer/droppable-rows.js";
import { sentColumns } from "../../src/buffer/stamp.js";
import { dropRuleOf, MARKET_DATA } from "../../src/policy/shape.js";
import { readTable } from "../../src/schemas/introspect.js";
import { startTables } from "../intake/fixture.js";
import { randomOf } from "../support/random.js";
import { bufferFor } from "./fixture.js";

const clickhouse = await startTables({ after });
const START = BigInt(Date.UTC(2024, 7, 8, 23, 59, 58)) * 1_000_000n;

interface Offered {
  readonly kind: string;
  readonly symbol: string;
  readonly skipped: number;
  readonly at: bigint;
}

for (const which of ["first", "all"] as const satisfies readonly Droppable[])
  test(`${which === "first" ? "quotes and depth go" : "all rows go"}, oldest first; what is stored and what was told as dropped is what was offered`, async (t) => {
    const random = randomOf(t);
    const table = await readTable(clickhouse, "market_data");
    const rule = dropRuleOf(MARKET_DATA, table.columns);
    const { buffer } = bufferFor(table, { flush: { rows: 40, bytes: 2 ** 20, age: 250 }, queueRows: 5000 });
    const offered = new Map<number, Offered>();
    const dropped: DroppedRows[] = [];
    const recorder = `drop-${which}`;
    let at = START;
    const blocks: Buffer[] = [];
    const take = (): void => {
      const taken = buffer.take();
      if (taken === undefined) return;
      blocks.push(Buffer.from(taken.batch.encode()));
      buffer.settle(taken.open.rows);
      buffer.release(taken.open);
    };
    for (let seq = 1; seq <= 3000; seq += 1) {
      // Some belong to the day before, so that two batches are open.
      at += BigInt(random.below(2_000_000));
      const time = random.below(10) === 0 ? START - 10_000_000_000n : at;
      const kind = random.of(["quote", "depth", "trade", "trade", "quote"]);
      const symbol = random.of(["A", "B"]);
      const skipped = kind === "trade" ? 0 : random.below(3);
      buffer.append({ ts_exchange: time, ts_local: at, symbol, kind, exchange_seq: seq }, undefined, skipped);
      offered.set(seq, { kind, symbol, skipped, at });
      if (random.below(60) === 0) {
        const rows = buffer.dropOldest(rule, which, (count) => new Error(`${count}`));
        if (rows !== undefined) dropped.push(rows);
      }
      if (random.below(100) === 0) take();
    }
    buffer.offerAll();
    while (buffer.hasDue) take();
    assert.equal(buffer.pendingRows, 0);
    const columns = sentColumns(table).map(({ name }) => name);
    const sql = `INSERT INTO market_data (${columns.join()}) FORMAT Native`;
    for (const body of blocks) await clickhouse.insert({ sql, body });
    const stored = await clickhouse.rows<{ seq: string; id: string; skipped: string }>(
      "SELECT seq, exchange_seq AS id, toInt64(skipped) AS skipped FROM market_data WHERE recorder = 'r' ORDER BY seq",
    );
    await clickhouse.command("TRUNCATE TABLE market_data");
    t.diagnostic(`${recorder}: ${stored.length} stored, ${dropped.length} drops`);
    assert.deepEqual(
      stored.map(({ seq }) => Number(seq)),
      stored.map((_, index) => index + 1),
      "numbers without holes",
    );
    const left = new Map(offered);
    for (const row of stored) {
      assert.equal(Number(row.skipped), offered.get(Number(row.id))!.skipped);
      assert.ok(left.delete(Number(row.id)), `${row.id} is stored once`);
    }
    assert.ok(left.size > 300, "rows were dropped");
    assert.equal(
      dropped.reduce((sum, { rows }) => sum + rows, 0),
      left.size,
    );
    const lost = [...left.values()];
    const trades = lost.filter(({ kind }) => kind === "trade").length;
    assert.equal(trades > 0, which === "all");
    for (const symbol of ["A", "B"])
      for (const kind of ["quote", "depth", "trade"]) {
        const told = dropped
          .flatMap(({ by }) => by)
          .filter(([series]) => series["symbol"] === symbol && series["kind"] === kind)
          .reduce((sum, [, rows]) => sum + rows, 0);
        const its = lost.filter((row) => row.symbol === symbol && row.kind === kind);
        assert.equal(
          told,
          its.reduce((sum, { skipped }) => sum + 1 + skipped, 0),
          `${symbol} ${kind}`,
        );
      }
    for (const [id, row] of left) {
      const telling = dropped.filter(({ from, to }) => from! <= row.at && row.at <= to!);
      assert.ok(telling.length > 0, `no drop tells of ${id}`);
    }
  });

test("whoever waits for rows waits for those, too, that stay when the others of their batch are dropped", async () => {
  const table = await readTable(clickhouse, "market_data");
  const { buffer } = bufferFor(table);
  for (const kind of ["quote", "trade"])
    buffer.append({ ts_exchange: START, ts_local: START, kind, symbol: "A" }, undefined);
  buffer.offerAll();
  let isSettled = false;
  const settled = buffer.settled().then(() => {
    isSettled = true;
  });
  const dropped = buffer.dropOldest(
    dropRuleOf(MARKET_DATA, table.columns),
    "first",
    () => new Error("dropped"),
  );
  assert.equal(dropped?.rows, 1);
  await new Promise(setImmediate);
  assert.equal(isSettled, false, "the trade is not stored");
  const { open } = buffer.take()!;
  buffer.settle(open.rows);
  open.ticket.settle();
  buffer.release(open);
  await settled;
});
