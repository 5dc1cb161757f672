import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/base/clock.js";
import { Admission } from "../../src/buffer/admission.js";
import { NO_JOURNAL } from "../../src/buffer/journal.js";
import { TableBuffer } from "../../src/buffer/table-buffer.js";
import { GapLedger } from "../../src/gaps/gap-ledger.js";
import { Ladder } from "../../src/overload/ladder.js";
import { TableOverload } from "../../src/overload/table-overload.js";
import type { RecorderEvent } from "../../src/recorder.js";
import { Lane } from "../../src/sink/lane.js";
import { Writer } from "../../src/table-writer.js";
import { at, bufferOptions, DAILY } from "../buffer/fixture.js";

const ROWS = 10;

/** Of a table without a ladder and without load. */
function overloadOf(clock: Clock): TableOverload {
  const ring = undefined;
  const rest = { link: "up", stretch: 1, oldestAt: undefined, isServed: true } as const;
  const signs = () => ({ ring, queue: 0, memory: 0, lateMax: 1000, ...rest });
  const told = { apply: () => {}, report: () => {}, onLevels: () => {} };
  return new TableOverload({ table: "t", ladder: new Ladder([]), clock, signs, ...told });
}

/** The way of one table's rows with a lane that a test moves by hand. */
function wayOf(Buffer: typeof TableBuffer, Sink: typeof Lane) {
  const options = bufferOptions(DAILY);
  const { clock, identity, budget } = options;
  const events: RecorderEvent[] = [];
  const report = (event: RecorderEvent): void => void events.push(event);
  const buffer = new Buffer(options);
  const parts = { table: DAILY, buffer, inserter: undefined as never, journal: NO_JOURNAL };
  const lane = new Sink(parts, { clock, report, onFree: () => {} });
  const overload = overloadOf(clock);
  const admission = new Admission({
    ...{ table: "t", class: "best_effort", buffer, budget, permit: overload },
    ...{ onTurn: () => {}, dropRule: () => ({}) as never, onDropped: () => {} },
  });
  const writer = new Writer({
    ...{
      table: DAILY,
      buffer,
      admission,
      gather: undefined,
      lane,
      isLogged: false,
      inheritedRows: () => 0,
    },
    ...{ identity, deadLetters: undefined as never, clock, report, isClosed: () => false, policy: undefined },
    ...{ overload, gaps: new GapLedger({ clock, write: () => undefined }), refusedByRings: () => 0 },
  });
  const send = (fate: "stored" | "deadLettered"): void => {
    for (let row = 0; row < ROWS; row += 1) writer.offer({ ts: at(row) });
    buffer.offerAll();
    const { open, batch } = buffer.take()!;
    lane[fate](batch);
    buffer.release(open);
  };
  return { writer, events, send };
}

/** Settles one row less than it is told. */
class ForgetfulBuffer extends TableBuffer {
  override settle(rows: number): void {
    super.settle(rows - 1);
  }
}

/** Rows leave its buffer and are counted nowhere. */
class SilentLane extends Lane {
  override deadLettered(batch: Parameters<Lane["deadLettered"]>[0]): void {
    this.buffer.settle(batch.rows, batch);
  }
}

test("the sums of a table hold while each row is counted once, and nothing is told", () => {
  const { writer, events, send } = wayOf(TableBuffer, Lane);
  writer.look();
  for (let batch = 0; batch < 3; batch += 1) {
    send(batch === 1 ? "deadLettered" : "stored");
    writer.look();
  }
  assert.deepEqual(events, []);
  const { conservation, stored, deadLettered } = writer.stats();
  assert.deepEqual([stored, deadLettered], [2 * ROWS, ROWS]);
  const imbalance = { offered: 0, accepted: 0 };
  assert.deepEqual(conservation, { holds: true, imbalance, looks: 4, violations: 0 });
});

test("a buffer that keeps count of rows which are gone is told of once, and again when there are more", () => {
  const { writer, events, send } = wayOf(ForgetfulBuffer, Lane);
  send("stored");
  writer.look();
  writer.look();
  const sums = { offered: 10, accepted: 10, refused: 0, dropped: 0, deadLettered: 0 };
  const event = { kind: "conservation", table: "t", holds: false, imbalance: { offered: 0, accepted: -1 } };
  const left = { deduplicated: 0, sampled: 0 };
  assert.deepEqual(events, [{ ...event, sums: { ...sums, ...left, stored: 10, pending: 1 } }]);
  send("stored");
  writer.look();
  assert.equal(events.length, 2);
  const imbalance = { offered: 0, accepted: -2 };
  assert.deepEqual(writer.stats().conservation, { holds: false, imbalance, looks: 3, violations: 2 });
});

test("a lane that loses sight of rows is told of, and that they were found again", () => {
  const { writer, events, send } = wayOf(TableBuffer, SilentLane);
  send("deadLettered");
  writer.look();
  assert.deepEqual(writer.stats().conservation.imbalance, { offered: 0, accepted: ROWS });
  writer.lost({ reason: "spool_full", inherited: false, count: ROWS } as never);
  writer.look();
  assert.deepEqual(
    events.map((event) => event.kind === "conservation" && event.holds),
    [false, true],
  );
  assert.equal(writer.stats().conservation.violations, 1);
});
