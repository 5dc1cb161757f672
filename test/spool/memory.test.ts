import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/base/clock.js";
import { MIB } from "../../src/base/units.js";
import { classBudgets } from "../../src/buffer/class-budgets.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import { TableBuffer } from "../../src/buffer/table-buffer.js";
import { Spool } from "../../src/spool/spool.js";
import { SpoolReplay } from "../../src/spool/spool-replay.js";
import { TableSpool } from "../../src/spool/table-spool.js";
import { TableBuffers } from "../../src/table-buffers.js";
import { at, bufferOptions, DAILY } from "../buffer/fixture.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";

const ROWS = 1000;

/** A spool with one batch on disk, and the way back from there, on a memory of its own. */
async function spooledBatch(t: TestContext) {
  const budget = new MemoryBudget(MIB);
  const common = { clock: systemClock, budget };
  const none = (): void => {};
  const spool = new TableSpool({
    ...common,
    ...{ table: "t", dir: await temporaryFolder(t), max: 64 * MIB, order: "oldest_first" },
    ...{ reserve: 0, emergencyDisk: 1, report: none, onDropped: none, onChange: none },
  });
  await spool.open();
  t.after(() => spool.close(1000));
  const flush = { rows: ROWS, bytes: MIB, age: 250 };
  const live = new TableBuffer({ ...bufferOptions(DAILY), flush, queueRows: 8 * ROWS });
  for (let row = 0; row < ROWS; row += 1) live.append({ ts: at(row), symbol: `S${row}` }, undefined);
  live.offerAll();
  const { open, batch } = live.takeAway(Infinity)!;
  const { number, openedAt, ticket } = open;
  spool.put(batch, { number, generation: 0, openedAt, ticket });
  await spool.idle;
  assert.deepEqual([spool.kept.batches, budget.used], [1, 0]);
  const replay = new SpoolReplay({
    ...{ ...common, table: DAILY, spool, mayReplay: () => true, isQuiet: () => true },
    ...{ onDue: none, onUnreadable: none },
  });
  return { budget, spool, replay };
}

test("a batch that is being read back has its memory before it is there, and gives it back once it is through", async (t) => {
  const { budget, spool, replay } = await spooledBatch(t);
  replay.prepare();
  const [kept] = spool.kept.all;
  assert.equal(budget.used, kept!.batch.bytes, "before a byte was read");
  await until("the batch", () => replay.ready);
  assert.equal(budget.used, replay.bytes);
  const { open, batch } = replay.take();
  assert.equal(batch.rows, ROWS);
  replay.release(open);
  assert.equal(budget.used, 0);
});

test("memory for a batch that is not needed any more while it is read is given back", async (t) => {
  const { budget, replay } = await spooledBatch(t);
  replay.prepare();
  assert.ok(budget.used > 0);
  replay.stop();
  await until("free memory", () => budget.used === 0);
});

test("a batch for which memory has no room stays on disk", async (t) => {
  const { budget, replay } = await spooledBatch(t);
  budget.add(0.75 * MIB);
  replay.prepare();
  assert.deepEqual([budget.used, replay.ready], [0.75 * MIB, false]);
});

test("rows on their way to the spool count to the memory of best effort, which so leaves critical tables their share", async (t) => {
  const { identity, window } = bufferOptions(DAILY);
  const none = (): void => {};
  const budgets = classBudgets(4 * MIB, 0, 0.5);
  const beside = new Set<number>();
  const add = budgets.all.add.bind(budgets.all);
  budgets.all.add = (bytes) => {
    add(bytes);
    beside.add(budgets.all.used - budgets.best_effort.used);
  };
  const options = { dir: await temporaryFolder(t), order: "oldest_first", after: 0 } as const;
  const spool = new Spool(
    { ...options, reserve: 0, emergencyDisk: 1 },
    { clock: systemClock, report: none, isDown: () => true, mayReplay: () => false, onDue: none },
  );
  const buffers = new TableBuffers({
    ...{ identity, window, budgets, spool, clock: systemClock, wal: undefined },
    ...{ onDue: none, onRoom: none, onDropped: none },
  });
  const flush = { rows: ROWS, bytes: MIB, age: 250 };
  const table = { class: "best_effort", durability: "spool", flush, queue: { rows: 8 * ROWS } } as const;
  const buffer = buffers.add(DAILY, table);
  await spool.open();
  t.after(async () => {
    buffer.close();
    await buffer.keep(1000);
    await spool.close(1000);
  });
  for (let row = 0; row < ROWS; row += 1) buffer.append({ ts: at(row), symbol: `S${row}` }, undefined);
  buffer.offerAll();
  await until("the batch is on disk", () => spool.stats()["t"]!.batches === 1 && budgets.all.used === 0);
  assert.deepEqual([...beside], [0]);
});
