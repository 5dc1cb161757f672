import assert from "node:assert/strict";
import { test } from "node:test";
import type { DropPermit, Droppable } from "../../src/buffer/drop-permit.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import { ValueError } from "../../src/native/block.js";
import { admissionFor, at } from "./fixture.js";

test("a critical table at its limit refuses, says so once, and takes rows again when there is room", () => {
  const { admission, buffer, told } = admissionFor("critical", { queueRows: 20 });
  for (let i = 0; i < 20; i += 1) assert.ok(admission.offer({ ts: at(i) }, undefined));
  assert.equal(admission.full, true);
  for (let i = 0; i < 3; i += 1) assert.equal(admission.offer({ ts: at(i) }, undefined), undefined);
  assert.deepEqual(told, ["full queue_full"]);
  const { open, batch } = buffer.take()!;
  buffer.settle(batch.rows);
  buffer.release(open);
  admission.look();
  admission.look();
  assert.ok(admission.offer({ ts: at(0) }, undefined));
  assert.deepEqual(told, ["full queue_full", "room rows are taken again"]);
  const { offered, accepted, refused, dropped } = admission.counts();
  assert.deepEqual([offered, accepted, refused, dropped], [24, 21, { queue_full: 3 }, {}]);
});

test("a best-effort table at its limit drops its oldest batch and takes every row", async () => {
  const { admission, buffer, told } = admissionFor("best_effort", { queueRows: 80 });
  const first = admission.offer({ ts: at(0) }, undefined)!;
  for (let i = 1; i < 100; i += 1) assert.ok(admission.offer({ ts: at(i) }, undefined));
  const { offered, accepted, dropped } = admission.counts();
  assert.deepEqual([offered, accepted, dropped], [100, 100, { queue_full: 20 }]);
  assert.equal(buffer.pendingRows, 80);
  assert.deepEqual(told, ["dropped 10 queue_full", "dropped 10 queue_full"]);
  await assert.rejects(first.stored, { code: "BATCH_FAILED" });
});

test("what the sink has taken is not dropped: then even best effort refuses", () => {
  const { admission, buffer } = admissionFor("best_effort", { queueRows: 10 });
  for (let i = 0; i < 10; i += 1) admission.offer({ ts: at(i) }, undefined);
  buffer.take();
  assert.equal(admission.offer({ ts: at(0) }, undefined), undefined);
  assert.deepEqual(admission.counts().refused, { queue_full: 1 });
});

test("when memory is full, the oldest best-effort rows of any table make room for critical ones", () => {
  const budget = new MemoryBudget(400_000);
  const best = admissionFor("best_effort", { budget });
  const critical = admissionFor("critical", { budget });
  const row = { ts: at(0), note: "x".repeat(1000) };
  for (let i = 0; i < 200; i += 1) best.admission.offer(row, undefined);
  for (let i = 0; i < 600; i += 1) critical.admission.offer(row, undefined);
  assert.ok(best.admission.counts().dropped["memory_full"]! > 0);
  assert.equal(best.buffer.pendingRows, 200 - best.admission.counts().dropped["memory_full"]!);
  const { accepted, refused, dropped } = critical.admission.counts();
  assert.deepEqual(dropped, {});
  assert.equal(accepted + refused["memory_full"]!, 600);
  assert.ok(budget.used < 400_000 + 2 * 65_536, `${budget.used}`);
});

test("a row that does not fit is not counted: whoever offered it says what became of it", () => {
  const { admission } = admissionFor("critical");
  assert.throws(() => admission.offer({ ts: "yesterday" }, undefined), ValueError);
  assert.equal(admission.counts().offered, 0);
  admission.refuse("value_rejected");
  const { offered, accepted, refused } = admission.counts();
  assert.deepEqual([offered, accepted, refused], [1, 0, { value_rejected: 1 }]);
});

test("rows are dropped as far as the table's level lets them be, which is raised when nothing else makes room", () => {
  const raised: string[] = [];
  const permit: { droppable: Droppable; raise(reason: string): boolean } = {
    droppable: "nothing",
    raise(reason) {
      raised.push(reason);
      this.droppable = "all";
      return true;
    },
  };
  const { admission, told } = admissionFor("best_effort", { queueRows: 20 }, permit);
  for (let i = 0; i < 20; i += 1) admission.offer({ ts: at(i) }, undefined);
  assert.deepEqual([raised, told], [[], []]);
  admission.offer({ ts: at(20) }, undefined);
  assert.deepEqual(raised, ["queue_full"]);
  assert.deepEqual(told, ["dropped 10 queue_full"]);
});

test("no level is raised when the sink has all rows, and there is nothing to drop", () => {
  const permit: DropPermit = { droppable: "nothing", raise: () => assert.fail("raised") };
  const { admission, buffer } = admissionFor("best_effort", { queueRows: 10 }, permit);
  for (let i = 0; i < 10; i += 1) admission.offer({ ts: at(i) }, undefined);
  buffer.take();
  assert.equal(admission.offer({ ts: at(0) }, undefined), undefined);
});

test("best effort leaves the reserve of the memory to critical tables, and gives way where these need more", () => {
  const whole = new MemoryBudget(400_000);
  const share = new MemoryBudget(300_000, whole);
  const best = admissionFor("best_effort", { budget: share });
  const critical = admissionFor("critical", { budget: new MemoryBudget(400_000, whole) });
  const row = { ts: at(0), note: "x".repeat(1000) };
  for (let i = 0; i < 500; i += 1) best.admission.offer(row, undefined);
  const dropped = (): number => best.admission.counts().dropped["memory_full"]!;
  assert.ok(share.used < 300_000 + 65_536 && dropped() > 0, `${share.used}`);
  const before = dropped();
  for (let i = 0; whole.used < 380_000; i += 1) assert.ok(critical.admission.offer(row, undefined), `${i}`);
  assert.equal(dropped(), before, "the reserve is free, whatever best effort does");
  for (let i = 0; i < 150; i += 1) assert.ok(critical.admission.offer(row, undefined), `${i}`);
  assert.ok(dropped() > before, "best effort makes room");
});

test("memory that is being sent does not count as used up until there is none left", () => {
  const { buffer, budget } = admissionFor("best_effort", { budget: new MemoryBudget(400_000) });
  const row = { ts: at(0), note: "x".repeat(1000) };
  for (let i = 0; i < 100; i += 1) buffer.append(row, undefined);
  buffer.offerAll();
  const before = budget.usage;
  assert.ok(before > 0.1, `${before}`);
  const taken = buffer.take()!;
  assert.ok(budget.usage < before && budget.used > 0);
  buffer.settle(taken.batch.rows);
  buffer.release(taken.open);
  while (buffer.hasDue) {
    const { open, batch } = buffer.take()!;
    buffer.settle(batch.rows);
    buffer.release(open);
  }
  assert.deepEqual([budget.used, budget.usage], [0, 0]);
  budget.add(400_000);
  budget.send(400_000);
  assert.equal(budget.usage, 1);
});
