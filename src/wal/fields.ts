import { ByteBuffer } from "../native/byte-buffer.js";

/** Fields one after another, as the log's records, indexes and cursor hold them. */
export class FieldWriter extends ByteBuffer {
  /** 64 bits; a negative number as its two's complement. */
  bigint(value: bigint): void {
    this.reserve(8);
    this.length = this.data.writeBigUInt64LE(BigInt.asUintN(64, value), this.length);
  }

  /** Unlike `text` it takes a lone surrogate, as U+FFFD: a mark must be logged whatever it says. */
  string(value: string): void {
    this.sizedBytes(Buffer.from(value));
  }

  /** Zeros up to a multiple of 8. */
  align(): void {
    const padding = -this.length & 7;
    this.reserve(padding);
    this.data.fill(0, this.length, this.length + padding);
    this.length += padding;
  }

  /** The bytes so far; they change when more is written. */
  get view(): Buffer {
    return this.data.subarray(0, this.length);
  }
}

/** Reads what {@link FieldWriter} wrote; bytes whose checksum held, so a read beyond the end is a defect and throws. */
export class FieldReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  uint64(): number {
    return Number(this.bigint());
  }

  bigint(): bigint {
    this.at += 8;
    return this.#bytes.readBigUInt64LE(this.at - 8);
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  string(): string {
    const length = this.varint();
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError("text beyond the end");
    return this.#bytes.toString("utf8", this.at - length, this.at);
  }

  /** As many as the varint in front says. */
  list<T>(read: (fields: this) => T): T[] {
    const items: T[] = [];
    for (let left = this.varint(); left > 0; left--) items.push(read(this));
    return items;
  }
}
