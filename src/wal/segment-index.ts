// Index and summary, the last two records of a closed segment: docs/reference/formats/wal.md#the-end-of-a-closed-segment.
import { readAbout } from "./about.js";
import { FieldReader, FieldWriter } from "./fields.js";
import type { Head } from "./format.js";
import { aligned, decodeHead, FLAG, HEAD_BYTES, recordBytes } from "./format.js";
import type { IndexEntry } from "./records.js";
import { getOrMake, type RowSet, RowSets } from "./row-sets.js";
import type { SeqRange } from "./seq-set.js";
import { SeqSet } from "./seq-set.js";

/** A record of a segment without its payload, and the head that says how it got there. */
export interface LoggedEntry {
  readonly entry: IndexEntry;
  readonly head: Head;
}

/** What recovery has to know of a segment without looking at each frame. */
export interface Summary {
  /** Plain frames: no copies, no group. */
  readonly tables: readonly RowSet[];
  /** The highest ring positions of the plain frames. */
  readonly positions: readonly {
    readonly producer: bigint;
    readonly table: string;
    readonly position: bigint;
  }[];
  /** Ordinals of all records but copies. */
  readonly ordinals: SeqSet;
  /** What has to be looked at one by one: all but plain frames. */
  readonly special: readonly LoggedEntry[];
}

/** Collects index and summary of a segment while it is written or scanned. */
export class SegmentIndex {
  readonly #segment: number;
  readonly #entries = new FieldWriter(4096);
  readonly #special: LoggedEntry[] = [];
  readonly #specialEntries = new FieldWriter();
  readonly #ordinals = new SeqSet();
  readonly #tables = new RowSets();
  readonly #positions = new Map<string, { producer: bigint; table: string; position: bigint }>();
  #records = 0;

  constructor(segment: number) {
    this.#segment = segment;
  }

  get records(): number {
    return this.#records;
  }

  /** `bytes` are head and about of the record at `offset`. */
  add(offset: number, bytes: Buffer, head: Head, record: IndexEntry["record"]): void {
    this.#records += 1;
    writeEntry(this.#entries, offset, bytes);
    if ((head.flags & FLAG.copy) === 0) this.#ordinals.add(head.ordinal, head.ordinal);
    if (record.kind === "rows" && record.group === 0n && (head.flags & FLAG.copy) === 0) {
      this.#addPlain(record);
    } else {
      writeEntry(this.#specialEntries, offset, bytes);
      const place = { segment: this.#segment, offset, length: recordBytes(head) };
      this.#special.push({ entry: { ordinal: head.ordinal, place, record }, head });
    }
  }

  summary(): Summary {
    return {
      tables: this.#tables.all,
      positions: [...this.#positions.values()],
      ordinals: this.#ordinals,
      special: this.#special,
    };
  }

  /** The payload of the index record: an entry for each record. */
  encodeIndex(): Buffer {
    return this.#entries.view;
  }

  /** The payload of the summary record. */
  encodeSummary(): Buffer {
    const to = new FieldWriter(4096);
    const tables = this.#tables.all;
    to.varint(tables.length);
    for (const { table, run, rows, seqs } of tables) {
      to.string(table);
      to.bigint(run);
      to.uint64(rows);
      writeRanges(to, seqs.ranges);
    }
    to.varint(this.#positions.size);
    for (const { producer, table, position } of this.#positions.values()) {
      to.bigint(producer);
      to.string(table);
      to.bigint(position);
    }
    writeRanges(to, this.#ordinals.ranges);
    to.align();
    to.bytes(this.#specialEntries.view);
    return to.view;
  }

  #addPlain(record: Extract<IndexEntry["record"], { kind: "rows" }>): void {
    const { table, run, firstSeq, count } = record;
    const known = this.#tables.of(table, run);
    known.rows += count;
    known.seqs.add(firstSeq, firstSeq + count - 1);
    for (const { producer, position } of record.positions) {
      const highest = getOrMake(this.#positions, `${producer} ${table}`, () => ({
        producer,
        table,
        position,
      }));
      if (position > highest.position) highest.position = position;
    }
  }
}

/** The entries of an index payload. */
export function decodeIndex(payload: Buffer, segment: number): LoggedEntry[] {
  return readEntries(payload, 0, segment);
}

/** Reads what {@link SegmentIndex.encodeSummary} made. */
export function decodeSummary(payload: Buffer, segment: number): Summary {
  const from = new FieldReader(payload);
  const tables = from.list(() => ({
    table: from.string(),
    run: from.bigint(),
    rows: from.uint64(),
    seqs: new SeqSet(readRanges(from)),
  }));
  const positions = from.list(() => ({
    producer: from.bigint(),
    table: from.string(),
    position: from.bigint(),
  }));
  const ordinals = new SeqSet(readRanges(from));
  return { tables, positions, ordinals, special: readEntries(payload, aligned(from.at), segment) };
}

/** The highest ordinal in a segment, copies included; 0 if it has no record. */
export function highestOrdinal({ ordinals, special }: Summary): number {
  return special.reduce(
    (highest, { entry }) => Math.max(highest, entry.ordinal),
    ordinals.ranges.at(-1)?.last ?? 0,
  );
}

/** Ranges as cursor and summaries hold them. */
export function writeRanges(to: FieldWriter, ranges: readonly SeqRange[]): void {
  to.varint(ranges.length);
  for (const { first, last } of ranges) {
    to.uint64(first);
    to.uint64(last);
  }
}

export function readRanges(from: FieldReader): SeqRange[] {
  return from.list(() => ({ first: from.uint64(), last: from.uint64() }));
}

function writeEntry(to: FieldWriter, offset: number, bytes: Buffer): void {
  to.uint64(offset);
  const start = to.length;
  to.bytes(bytes);
  // Without its checksum: a scan after damage must not take an entry for a record.
  to.data.writeUInt32LE(0, start);
  to.align();
}

function readEntries(bytes: Buffer, from: number, segment: number): LoggedEntry[] {
  const entries: LoggedEntry[] = [];
  for (let at = from; at < bytes.length; ) {
    const offset = Number(bytes.readBigUInt64LE(at));
    const head = decodeHead(bytes, at + 8);
    const about = at + 8 + HEAD_BYTES;
    const record = readAbout(head.kind, bytes.subarray(about, about + head.aboutBytes));
    const place = { segment, offset, length: recordBytes(head) };
    entries.push({ entry: { ordinal: head.ordinal, place, record }, head });
    at = aligned(about + head.aboutBytes);
  }
  return entries;
}
