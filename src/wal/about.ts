// What each record is about: docs/reference/formats/wal.md#what-a-record-is-about.
import assert from "node:assert";
import type { FieldWriter } from "./fields.js";
import { FieldReader } from "./fields.js";
import { KIND } from "./format.js";
import type { IndexEntry, MarkRecord, RowsRecord } from "./records.js";

type About = IndexEntry["record"];
type Rows = Omit<RowsRecord, "payload">;
type Mark<K extends MarkRecord["kind"]> = Extract<MarkRecord, { kind: K }>;

/** Appends everything of the record but its payload. */
export function writeAbout(to: FieldWriter, record: About): void {
  if (record.kind === "rows") writeRows(to, record);
  else if (record.kind === "seal") writeSeal(to, record);
  else if (record.kind === "split") writeSplit(to, record);
  else if (record.kind === "skip") writeSkip(to, record);
  else writeGroupEnd(to, record);
}

/** Reads what {@link writeAbout} wrote for this kind. */
export function readAbout(kind: number, bytes: Buffer): About {
  const from = new FieldReader(bytes);
  switch (kind) {
    case KIND.rows:
      return readRows(from);
    case KIND.seal:
      return readSeal(from);
    case KIND.split:
      return readSplit(from);
    case KIND.skip:
      return readSkip(from);
    default:
      assert.equal(kind, KIND.group_end);
      return readGroupEnd(from);
  }
}

function writeRows(to: FieldWriter, record: Rows): void {
  to.string(record.table);
  to.string(record.partition);
  to.bigint(record.run);
  to.uint64(record.firstSeq);
  to.varint(record.count);
  to.bigint(record.group);
  to.varint(record.positions.length);
  for (const { producer, position } of record.positions) {
    to.bigint(producer);
    to.bigint(position);
  }
}

function readRows(from: FieldReader): Rows {
  return {
    kind: "rows",
    table: from.string(),
    partition: from.string(),
    run: from.bigint(),
    firstSeq: from.uint64(),
    count: from.varint(),
    group: from.bigint(),
    positions: from.list(() => ({ producer: from.bigint(), position: from.bigint() })),
  };
}

function writeSeal(to: FieldWriter, record: Mark<"seal">): void {
  to.string(record.table);
  to.string(record.partition);
  to.bigint(record.run);
  to.string(record.batch);
  to.varint(record.generation);
  to.varint(record.rows);
  to.varint(record.checksum);
  to.varint(record.frames.length);
  for (const { firstSeq, count } of record.frames) {
    to.uint64(firstSeq);
    to.varint(count);
  }
}

function readSeal(from: FieldReader): Mark<"seal"> {
  return {
    kind: "seal",
    table: from.string(),
    partition: from.string(),
    run: from.bigint(),
    batch: from.string(),
    generation: from.varint(),
    rows: from.varint(),
    checksum: from.varint(),
    frames: from.list(() => ({ firstSeq: from.uint64(), count: from.varint() })),
  };
}

function writeSplit(to: FieldWriter, { table, run, parent, children }: Mark<"split">): void {
  to.string(table);
  to.bigint(run);
  for (const name of [parent, ...children]) to.string(name);
}

function readSplit(from: FieldReader): Mark<"split"> {
  return {
    kind: "split",
    table: from.string(),
    run: from.bigint(),
    parent: from.string(),
    children: [from.string(), from.string()],
  };
}

function writeSkip(to: FieldWriter, { table, run, firstSeq, count, batch }: Mark<"skip">): void {
  to.string(table);
  to.bigint(run);
  to.uint64(firstSeq);
  to.varint(count);
  to.string(batch);
}

function readSkip(from: FieldReader): Mark<"skip"> {
  return {
    kind: "skip",
    table: from.string(),
    run: from.bigint(),
    firstSeq: from.uint64(),
    count: from.varint(),
    batch: from.string(),
  };
}

function writeGroupEnd(to: FieldWriter, record: Mark<"group_end">): void {
  to.bigint(record.group);
  to.string(record.key);
  to.string(record.bodyHash);
  to.varint(record.status);
  to.string(record.answer);
  to.uint64(record.at);
}

function readGroupEnd(from: FieldReader): Mark<"group_end"> {
  return {
    kind: "group_end",
    group: from.bigint(),
    key: from.string(),
    bodyHash: from.string(),
    status: from.varint(),
    answer: from.string(),
    at: from.uint64(),
  };
}
