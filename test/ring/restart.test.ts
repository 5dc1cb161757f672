import assert from "node:assert/strict";
import { test } from "node:test";
import { RingConsumer, type RingCut } from "../../src/ring/consumer.js";
import type { RecordLayout } from "../../src/ring/layout.js";
import { HEAD_WORD, RingMemory, TAIL_WORD } from "../../src/ring/memory.js";
import { RingProducer } from "../../src/ring/producer.js";
import { type Random, randomOf, seeded } from "../support/random.js";

const COLUMNS = [
  { name: "number", kind: "number" },
  { name: "text", kind: "text" },
] as const;
const LAYOUTS: readonly RecordLayout[] = ["ticks", "orders", "fills"].map((table) => ({
  table,
  critical: table !== "ticks",
  columns: COLUMNS,
}));
const TICKS = 0;
const LOGGED = [1, 2];

interface Taken {
  readonly table: number;
  readonly number: number;
  readonly position: number;
}

/** What a consumer that dies leaves: the log, and what it took of tables that have none. */
interface Outcome {
  readonly recorded: Record<number, number[]>;
  readonly logged: Record<number, number[]>;
  readonly ticks: number[];
}

/**
 * A producer, and consumers that die at any moment: between reading, logging and freeing. Rows of logged tables count once
 * they are in the log; all others as soon as they are taken.
 *
 * @param forgets the table whose positions the next consumer is not told
 */
function run(pick: Random, forgets?: number): Outcome {
  const cells = 2 ** (6 + pick.below(4));
  const memory = RingMemory.create({ cells, texts: 4, textBytes: 64, tables: LAYOUTS.length });
  // What wraps does so on the way.
  const startAt = pick.of([0, 2 ** 31 - cells, 7 * 2 ** 31 - cells]);
  memory.words[HEAD_WORD] = startAt & 0x7fff_ffff;
  memory.words[TAIL_WORD] = startAt & 0x7fff_ffff;
  memory.released[0] = startAt;
  const producer = new RingProducer({ buffer: memory.buffer, layouts: LAYOUTS, reserve: 0, now: () => 0 });
  const records = LAYOUTS.map(({ table }) => producer.recordOf(table));

  const outcome: Outcome = { recorded: { 0: [], 1: [], 2: [] }, logged: { 1: [], 2: [] }, ticks: [] };
  const positions = new Map(LOGGED.map((table) => [table, -1]));
  const open = (): RingConsumer =>
    new RingConsumer(memory.buffer, LAYOUTS, {
      logged: new Map([...positions].map(([table, position]) => [table, table === forgets ? -1 : position])),
    });
  let consumer = open();
  /** Taken and not in the log yet, and where the consumer stood at the last cut. */
  let inMemory: Taken[] = [];
  let syncing: { readonly rows: Taken[]; readonly cut: RingCut } | undefined;
  let full: readonly number[] = [];
  const log = (rows: readonly Taken[]): void => {
    for (const { table, number, position } of rows) {
      outcome.logged[table]!.push(number);
      positions.set(table, position);
    }
  };
  const drain = (most: number): void => {
    consumer.drain(most, (table, row, position) => {
      if (full.includes(table)) return false;
      const number = row["number"] as number;
      if (table === TICKS) outcome.ticks.push(number);
      else inMemory.push({ table, number, position });
      return true;
    });
  };
  const cut = (): void => {
    syncing = { rows: inMemory, cut: consumer.cut() };
    inMemory = [];
  };
  const synced = (): void => {
    if (syncing === undefined) return;
    log(syncing.rows);
    consumer.settle(syncing.cut);
    syncing = undefined;
  };
  // The log is emptied of what is stored, and with its frames their positions go.
  const trim = (): void => {
    for (const table of LOGGED) positions.set(table, -1);
  };
  const die = (): void => {
    // What was on its way to the disk may be there, with nobody told.
    if (syncing !== undefined && pick.below(2) === 0) log(syncing.rows);
    syncing = undefined;
    inMemory = [];
    consumer = open();
  };

  let number = 0;
  for (let step = 0; step < 600; step += 1) {
    const what = pick.below(24);
    if (what === 0) die();
    else if (what < 3) full = pick.of([[], [], [0], [1], [2], [0, 1], [1, 2]]);
    else if (what < 8) drain(1 + pick.below(8));
    else if (what < 10 && syncing === undefined) cut();
    else if (what < 12) synced();
    else if (what === 12) trim();
    else {
      const table = pick.below(3);
      if (!records[table]!({ number, text: "x".repeat(pick.below(30)) })) continue;
      outcome.recorded[table]!.push(number);
      number += 1;
    }
  }
  full = [];
  synced();
  drain(Infinity);
  cut();
  synced();
  assert.equal(consumer.usage, 0, "all room is given back");
  return outcome;
}

function check({ recorded, logged, ticks }: Outcome): void {
  for (const table of LOGGED) assert.deepEqual(logged[table], recorded[table], `table ${table}`);
  assert.deepEqual(ticks, recorded[TICKS]);
}

test("consumers that die between reading, logging and freeing: each row is logged once, in order, and none is taken twice", (context) => {
  const pick = randomOf(context);
  for (let round = 0; round < 200; round += 1) check(run(pick));
});

test("a consumer that is not told what is in the log takes rows again", () => {
  const caught = [1, 2].map((table) => {
    let count = 0;
    for (let seed = 0; seed < 50; seed += 1)
      try {
        check(run(seeded(seed), table));
      } catch (error) {
        assert.match(String(error), new RegExp(`table ${table}`));
        count += 1;
      }
    return count;
  });
  assert.ok(
    caught.every((count) => count > 10),
    `found in ${caught} of 50 runs`,
  );
});

test("a position that was logged long ago, and comes again as positions wrap, is passed by no row", () => {
  const memory = RingMemory.create({ cells: 64, texts: 4, textBytes: 64, tables: LAYOUTS.length });
  const producer = new RingProducer({ buffer: memory.buffer, layouts: LAYOUTS, reserve: 0, now: () => 0 });
  // 2^31 cells after a row that was logged at 8.
  memory.released[0] = 2 ** 31;
  producer.recordOf("orders")({ number: 1 });
  producer.recordOf("orders")({ number: 2 });
  const taken: unknown[] = [];
  const positions: number[] = [];
  const consumer = new RingConsumer(memory.buffer, LAYOUTS, { logged: new Map([[1, 8]]) });
  consumer.drain(9, (_, row, position) => {
    positions.push(position);
    return taken.push(row["number"]) > 0;
  });
  assert.deepEqual(taken, [1, 2]);
  assert.equal(positions[0], 2 ** 31);
});

test("room is given back by release alone, and no further than what was taken", () => {
  const memory = RingMemory.create({ cells: 64, texts: 4, textBytes: 64, tables: LAYOUTS.length });
  const producer = new RingProducer({ buffer: memory.buffer, layouts: LAYOUTS, reserve: 0, now: () => 0 });
  const record = producer.recordOf("ticks");
  const consumer = new RingConsumer(memory.buffer, LAYOUTS);
  while (record({ number: 1 }));
  consumer.drain(2, () => true);
  const { position } = consumer;
  assert.ok(consumer.drain(Infinity, () => true) > 2);
  assert.equal(record({ number: 2 }), false);
  const before = consumer.usage;
  consumer.release(position);
  assert.equal(before - consumer.usage, position / 64);
  assert.ok(record({ number: 2 }));
  assert.throws(() => consumer.release(consumer.mark()), /not taken/);
});

test("each ring has a name of its own", () => {
  const names = Array.from({ length: 100 }, () => {
    const { buffer } = RingMemory.create({ cells: 64, texts: 4, textBytes: 64, tables: 1 });
    return new RingConsumer(buffer, [LAYOUTS[0]!]).producer;
  });
  assert.equal(new Set(names).size, 100);
});

test("a record that cannot be read costs what is behind it in the ring, and nothing that comes later", () => {
  const damages: readonly ((cells: { i32: Int32Array }, at: number) => void)[] = [
    ({ i32 }, at) => {
      i32[at * 2 + 1] = 99;
    },
    ({ i32 }, at) => {
      i32[at * 2] = 0;
    },
    ({ i32 }, at) => {
      i32[at * 2] = 4000;
    },
    // A text of the dictionary that there is not.
    ({ i32 }, at) => {
      i32[(at + 1) * 2] = 5;
      i32[(at + 2) * 2] = 2 ** 31 - 1;
    },
    // A list that is longer than the ring.
    ({ i32 }, at) => {
      i32[(at + 1) * 2] = 13;
      i32[(at + 2) * 2] = 2 ** 31 - 1;
    },
  ];
  for (const damage of damages) {
    const memory = RingMemory.create({ cells: 128, texts: 4, textBytes: 64, tables: LAYOUTS.length });
    const producer = new RingProducer({ buffer: memory.buffer, layouts: LAYOUTS, reserve: 0, now: () => 0 });
    const record = producer.recordOf("orders");
    const taken: unknown[] = [];
    const told: number[] = [];
    const consumer = new RingConsumer(memory.buffer, LAYOUTS, { onDamaged: (cells) => told.push(cells) });
    const drain = (): number => consumer.drain(99, (_, row) => taken.push(row["number"]) > 0);
    record({ number: 1 });
    const at = consumer.mark();
    record({ number: 2 });
    record({ number: 3 });
    damage(memory, at);
    drain();
    assert.deepEqual(told, [consumer.mark() - at]);
    consumer.release(consumer.position);
    record({ number: 4 });
    drain();
    assert.deepEqual(taken.at(-1), 4);
    assert.equal(told.length, 1);
    assert.throws(() => {
      record({ number: 5 });
      memory.i32[(consumer.position & 127) * 2 + 1] = 99;
      new RingConsumer(memory.buffer, LAYOUTS).drain(99, () => true);
    });
  }
});
