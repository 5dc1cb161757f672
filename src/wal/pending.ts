import assert from "node:assert";
import { crc32 } from "node:zlib";
import { readAbout, writeAbout } from "./about.js";
import { FieldWriter } from "./fields.js";
import {
  decodeHead,
  FLAG,
  HEAD_BYTES,
  type Head,
  KIND,
  RECORD_BYTES_MAX,
  recordBytes,
  sealHead,
  writeHead,
} from "./format.js";
import type { LogRecord } from "./records.js";
import type { RecordPlace } from "./recovered.js";
import type { SegmentIndex } from "./segment-index.js";

const EMPTY = Buffer.alloc(0);
/** A buffer that one large commit grew beyond this is given back afterwards. */
const KEPT_BYTES = 1024 * 1024;

/** Records that wait for a commit, encoded one behind the other as they will lie in the segment. */
export class Pending {
  #to = new FieldWriter(64 * 1024);
  /** Where each begins. */
  #offsets: number[] = [];
  /** What each is about; undefined if it is to be read from the bytes. */
  #records: (LogRecord | undefined)[] = [];

  get records(): number {
    return this.#offsets.length;
  }

  get bytes(): number {
    return this.#to.length;
  }

  /** `rows`: what the head says of them, see {@link Head}. */
  add(ordinal: number, record: LogRecord, rows: number): void {
    const payload = record.kind === "rows" ? record.payload : EMPTY;
    const to = this.#to;
    const start = to.length;
    to.reserve(HEAD_BYTES);
    to.length += HEAD_BYTES;
    writeAbout(to, record);
    const aboutBytes = to.length - start - HEAD_BYTES;
    assert.ok(aboutBytes + payload.length < RECORD_BYTES_MAX, "the record is too large for the log");
    to.bytes(payload);
    to.align();
    writeHead(to.data, start, {
      kind: KIND[record.kind],
      flags: 0,
      rows,
      ordinal,
      aboutBytes,
      payloadBytes: payload.length,
      payloadChecksum: crc32(payload),
    });
    this.#offsets.push(start);
    // A frame of a group stays in the index, where its payload would be kept alive.
    this.#records.push(record.kind === "rows" && record.group !== 0n ? undefined : record);
  }

  /** Adds the bytes of a record that lies in another segment, under its own ordinal. */
  addCopy(bytes: Buffer): void {
    this.#offsets.push(this.#to.length);
    this.#records.push(undefined);
    this.#to.bytes(bytes);
    // The end of a file may lack the zeros behind its last record.
    this.#to.align();
  }

  /** The bytes for a segment: heads get the checksums of that segment, and are marked as copies if they are. */
  seal(seed: number, copies: boolean): Buffer {
    this.#offsets.forEach((offset, at) => {
      const kept = this.#to.data.readUInt8(offset + 19) & FLAG.lz4;
      const flags = kept | (copies ? FLAG.copy : 0) | (at === 0 ? FLAG.commit : 0);
      sealHead(this.#to.data, offset, flags, seed);
    });
    return this.#to.view;
  }

  /** Enters all records into the index of the segment that has them from `base` on, and forgets them. */
  drain(index: SegmentIndex, segment: number, base: number): RecordPlace[] {
    const places = this.#offsets.map((start, at): RecordPlace => {
      const { data } = this.#to;
      const head: Head = decodeHead(data, start);
      const bytes = data.subarray(start, start + HEAD_BYTES + head.aboutBytes);
      const about = this.#records[at] ?? readAbout(head.kind, bytes.subarray(HEAD_BYTES));
      index.add(base + start, bytes, head, about);
      return { ordinal: head.ordinal, place: { segment, offset: base + start, length: recordBytes(head) } };
    });
    this.clear();
    return places;
  }

  clear(): void {
    this.#offsets = [];
    this.#records = [];
    this.#to.length = 0;
    if (this.#to.data.length > KEPT_BYTES) this.#to = new FieldWriter(64 * 1024);
  }
}
