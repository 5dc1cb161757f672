import assert from "node:assert/strict";
import { test } from "node:test";
import { Notes } from "../../src/gaps/notes.js";
import type { Row } from "../../src/native/block.js";
import { ManualClock } from "../support/clock.js";

const SAFE = { durable: Promise.resolve() };

test("notes that find no room are written in order as soon as there is, each once", () => {
  const clock = new ManualClock();
  const written: Row[] = [];
  let room = 1;
  const notes = new Notes(clock, () => ({
    note(row: Row) {
      if (room === 0) return undefined;
      room -= 1;
      written.push(row);
      return SAFE;
    },
  }));
  for (let id = 1; id <= 4; id += 1) notes.add({ id });
  assert.deepEqual(written, [{ id: 1 }]);
  clock.advance(2_500);
  room = 2;
  clock.advance(1_000);
  assert.deepEqual(written, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  room = 5;
  notes.close();
  assert.deepEqual(written.at(-1), { id: 4 });
  assert.equal(clock.timers, 0);
  assert.equal(notes.write({ id: 5 }), undefined);
});

test("a note for which room is made by what is told itself is written once, and before that", () => {
  const written: unknown[] = [];
  let isFirst = true;
  const notes: Notes = new Notes(new ManualClock(), () => ({
    note({ id }: Row) {
      if (isFirst) {
        isFirst = false;
        notes.add({ id: 2 });
      }
      written.push(id);
      return SAFE;
    },
  }));
  notes.add({ id: 1 });
  assert.deepEqual(written, [1, 2]);
});

test("after the end no note waits for room that will never be", () => {
  const clock = new ManualClock();
  const notes = new Notes(clock, () => ({ note: () => undefined }));
  notes.close();
  notes.add({ id: 1 });
  assert.equal(clock.timers, 0);
});
