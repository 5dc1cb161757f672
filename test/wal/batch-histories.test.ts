import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, type SeqSpan } from "../../src/buffer/batch.js";
import { BlockBuilder } from "../../src/native/block.js";
import { BatchHistories } from "../../src/wal/batch-histories.js";
import { type MarkRecord, sealChecksum } from "../../src/wal/records.js";
import { SeqSet } from "../../src/wal/seq-set.js";

const RUN = 5n;
/** Ten rows. */
const FRAMES = [
  { firstSeq: 1, count: 4 },
  { firstSeq: 11, count: 6 },
];

function batchOf(frames: readonly SeqSpan[] = FRAMES): Batch {
  const builder = new BlockBuilder([
    { name: "run", type: "UInt64", required: true, stamped: false },
    { name: "seq", type: "UInt64", required: true, stamped: false },
  ]);
  for (const { firstSeq, count } of frames)
    for (let seq = firstSeq; seq < firstSeq + count; seq += 1) builder.append({ run: RUN, seq }, {});
  const table = {
    database: "default",
    name: "orders",
    columns: [],
    partitionKey: { kind: "none" },
    replicated: false,
  } as const;
  const partition = { key: "", from: 0, to: 0 };
  return new Batch({ table, partition, number: 17, openedAt: 0, frames, inherited: true }, builder);
}

function seal(batch: string, generation: number, frames: readonly SeqSpan[] = FRAMES): MarkRecord {
  const rows = frames.reduce((sum, { count }) => sum + count, 0);
  const where = { table: "orders", partition: "", run: RUN };
  return { kind: "seal", ...where, batch, generation, frames, rows, checksum: sealChecksum(frames) };
}

function split(parent: string, ...children: [string, string]): MarkRecord {
  return { kind: "split", table: "orders", run: RUN, parent, children };
}

/** `name/generation` of what is open, the generation only if it is sealed. */
function openOf(marks: readonly MarkRecord[], known: readonly [number, number][] = []): string[] {
  const place = { segment: 1, offset: 0, length: 0 };
  const entries = marks.map((record, index) => ({ ordinal: index + 1, place, record }));
  const set = new SeqSet(known.map(([first, last]) => ({ first, last })));
  const open = new BatchHistories("orders", entries).open(batchOf(), (_, first, last) =>
    set.missingIn(first, last),
  );
  return open.map(({ name, sealed }) => (sealed === undefined ? name : `${name}/${sealed}`));
}

test("a sealed batch goes by its name and its last generation", () => {
  assert.deepEqual(openOf([seal("17", 0)]), ["17/0"]);
  assert.deepEqual(openOf([seal("17", 0), seal("17", 1)]), ["17/1"]);
});

test("one whose seal names other frames, or none, is not sealed", () => {
  assert.deepEqual(openOf([]), ["17"]);
  assert.deepEqual(openOf([seal("17", 0, FRAMES.slice(0, 1))]), ["17"]);
  assert.deepEqual(openOf([seal("18", 0)]), ["17"]);
});

test("one that was split is what it was split into, and a half may have a generation of its own", () => {
  const halves = split("17", "17.0-5", "17.5-10");
  assert.deepEqual(openOf([seal("17", 2), halves]), ["17.0-5/0", "17.5-10/0"]);
  const quarters = split("17.5-10", "17.5-7", "17.7-10");
  const second = seal("17.7-10", 1, [{ firstSeq: 14, count: 3 }]);
  assert.deepEqual(openOf([seal("17", 0), halves, quarters, second]), ["17.0-5/0", "17.5-7/0", "17.7-10/1"]);
});

test("what has a known fate is not open any more", () => {
  const marks = [seal("17", 0), split("17", "17.0-5", "17.5-10")];
  const left: [number, number][] = [
    [1, 4],
    [11, 11],
  ];
  assert.deepEqual(openOf(marks, left), ["17.5-10/0"]);
  assert.deepEqual(openOf(marks, [...left, [12, 16]]), []);
});

test("a part of what was sealed as one is not sealed", () => {
  assert.deepEqual(openOf([seal("17", 0)], [[11, 12]]), ["17.0-4", "17.6-10"]);
});
