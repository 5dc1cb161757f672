import { Refusal } from "./refusal.js";

/** Up to this length a loop over the characters beats the call into the runtime. */
const SHORT_TEXT = 48;
const INITIAL_BYTES = 256;

/** Bytes appended one after another to a buffer that doubles when full. */
export class ByteBuffer {
  data: Buffer;
  length = 0;

  constructor(capacity: number = INITIAL_BYTES) {
    this.data = Buffer.allocUnsafeSlow(Math.max(capacity, 16));
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.data.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.data.length * 2));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }

  uint8(value: number): void {
    this.reserve(1);
    this.data[this.length++] = value;
  }

  /** A whole number up to 2^53 as eight bytes. */
  uint64(value: number): void {
    this.reserve(8);
    this.length = this.data.writeUInt32LE(value >>> 0, this.length);
    this.length = this.data.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.length);
  }

  /** Unsigned LEB128 of a whole number up to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.data[this.length++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.data[this.length++] = rest;
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.data.set(source, this.length);
    this.length += source.length;
  }

  /** Length as varint, then the bytes. */
  sizedBytes(source: Uint8Array): void {
    this.varint(source.length);
    this.bytes(source);
  }

  /**
   * Length in bytes as varint, then the text as UTF-8.
   * @throws Refusal for a lone surrogate, which UTF-8 cannot hold; nothing is added then.
   */
  text(text: string): void {
    const count = text.length;
    if (count <= SHORT_TEXT && this.#shortAscii(text, count)) return;
    if (/\p{Surrogate}/u.test(text))
      throw new Refusal("holds a lone surrogate, which UTF-8 cannot hold", text);
    const size = Buffer.byteLength(text);
    this.varint(size);
    this.reserve(size);
    this.length += this.data.write(text, this.length, size);
  }

  /** The text of a sized value that lies in [start, end). */
  sizedText(start: number, end: number): string {
    return this.data.toString("utf8", this.#afterSize(start), end);
  }

  /** Its bytes, not copied. */
  sizedBytesAt(start: number, end: number): Buffer {
    return this.data.subarray(this.#afterSize(start), end);
  }

  #afterSize(start: number): number {
    let at = start;
    while (this.data[at]! > 0x7f) at += 1;
    return at + 1;
  }

  #shortAscii(text: string, count: number): boolean {
    this.reserve(count + 1);
    const { data } = this;
    let at = this.length;
    data[at++] = count;
    for (let index = 0; index < count; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      data[at++] = code;
    }
    this.length = at;
    return true;
  }
}
