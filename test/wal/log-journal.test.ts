import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, type SeqSpan } from "../../src/buffer/batch.js";
import { BlockBuilder } from "../../src/native/block.js";
import { BatchHistories } from "../../src/wal/batch-histories.js";
import { LogJournal } from "../../src/wal/log-journal.js";
import { type LogRecord, sealChecksum } from "../../src/wal/records.js";

/** Five rows of two frames, between which another partition has three. */
const FRAMES = [
  { firstSeq: 7, count: 2 },
  { firstSeq: 12, count: 3 },
];

function batch(): Batch {
  const columns = ["recorder", "run", "seq"].map((name) => ({
    name,
    type: name === "recorder" ? "String" : "UInt64",
    required: true,
    stamped: false,
  }));
  const builder = new BlockBuilder(columns);
  for (const seq of [7, 8, 12, 13, 14]) builder.append({ recorder: "rig", run: 5n, seq }, {});
  const table = {
    database: "default",
    name: "orders",
    columns: [],
    partitionKey: { kind: "none" },
    replicated: false,
  } as const;
  const partition = { key: "2024-08-08", from: 0, to: 0 };
  return new Batch({ table, partition, number: 17, openedAt: 0, frames: FRAMES }, builder);
}

/** A journal on a log whose disk takes what it is given when it is told to. */
function journalOf(): {
  journal: LogJournal;
  records: LogRecord[];
  fates: string[];
  sync: (error?: Error) => void;
} {
  const records: LogRecord[] = [];
  const fates: string[] = [];
  let sync: (error?: Error) => void = () => {};
  const note =
    (kind: string) =>
    (run: bigint, rows: readonly SeqSpan[]): void =>
      void fates.push(
        `${kind} ${run}: ${rows.map(({ firstSeq, count }) => `${firstSeq}+${count}`).join(" ")}`,
      );
  const journal = new LogJournal(
    (appended) => {
      records.push(...appended);
      return new Promise<void>((resolve, reject) => {
        sync = (error) => (error === undefined ? resolve() : reject(error));
      });
    },
    { stored: note("stored"), skipped: note("skipped"), unknown: (_, first, last) => [{ first, last }] },
    new BatchHistories("orders", []),
  );
  return { journal, records, fates, sync: (error) => sync(error) };
}

test("a seal names the frames, and resolves once it is on disk", async () => {
  const { journal, records, sync } = journalOf();
  let isSealed = false;
  const sealing = journal.seal(batch(), 2).then(() => {
    isSealed = true;
  });
  await new Promise(setImmediate);
  assert.equal(isSealed, false);
  sync();
  await sealing;
  assert.deepEqual(records, [
    {
      kind: "seal",
      table: "orders",
      partition: "2024-08-08",
      run: 5n,
      batch: "17",
      generation: 2,
      frames: FRAMES,
      rows: 5,
      checksum: sealChecksum(FRAMES),
    },
  ]);
});

test("a split names both halves, and a half's seal the rows it has of each frame", async () => {
  const { journal, records, sync } = journalOf();
  const whole = batch();
  const halves = whole.halves();
  const splitting = journal.split(whole, halves);
  sync();
  await splitting;
  const sealing = journal.seal(halves[1], 1);
  sync();
  await sealing;
  assert.deepEqual(records[0], {
    kind: "split",
    table: "orders",
    run: 5n,
    parent: "17",
    children: ["17.0-2", "17.2-5"],
  });
  assert.deepEqual((records[1] as { frames: unknown }).frames, [{ firstSeq: 12, count: 3 }]);
});

test("rows are given up once their skip is on disk, and not if it fails", async () => {
  const { journal, records, fates, sync } = journalOf();
  const [, half] = batch().halves();
  const [row] = half.halves();
  const failing = journal.skip(row);
  sync(new Error("no space left on device"));
  await assert.rejects(failing, /no space/);
  assert.deepEqual(fates, []);
  const skipping = journal.skip(row);
  sync();
  await skipping;
  assert.deepEqual(fates, ["skipped 5: 12+1"]);
  assert.deepEqual(records.at(-1), {
    kind: "skip",
    table: "orders",
    run: 5n,
    firstSeq: 12,
    count: 1,
    batch: "17.2-3",
  });
});

test("what is stored is remembered by run and number", () => {
  const { journal, fates } = journalOf();
  journal.stored(batch());
  assert.deepEqual(fates, ["stored 5: 7+2 12+3"]);
});
