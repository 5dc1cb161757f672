import type { BlockReader } from "./block-reader.js";
import { ByteBuffer } from "./byte-buffer.js";
import { ColumnWriter } from "./column-writer.js";
import { Refusal, refuseKind } from "./refusal.js";
import { textOrBytes } from "./text-or-bytes.js";

/** Up to this width a loop over the characters beats the calls into the runtime. */
const SHORT_WIDTH = 64;

/** FixedString(N): N bytes per value, shorter ones filled up with zero bytes as the engine does. */
export class FixedStringWriter extends ColumnWriter {
  readonly #bytes = new ByteBuffer();

  constructor(width: number) {
    super(width, true);
  }

  override get length(): number {
    return this.#bytes.length / this.width;
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.#appendText(value);
    else if (value instanceof Uint8Array) this.#appendBytes(value);
    else refuseKind(value, "a string");
  }

  #appendText(text: string): void {
    if (this.width <= SHORT_WIDTH && text.length <= this.width && this.#appendAscii(text)) return;
    const size = Buffer.byteLength(text);
    if (size > this.width) this.#refuseSize(size, text);
    // Only ASCII takes a byte a character, so nothing else needs to be searched.
    if (size !== text.length && /\p{Surrogate}/u.test(text))
      throw new Refusal("holds a lone surrogate, which UTF-8 cannot hold", text);
    const start = this.#next(size);
    this.#bytes.data.write(text, start, size);
  }

  #appendAscii(text: string): boolean {
    this.#bytes.reserve(this.width);
    const { data, length: start } = this.#bytes;
    for (let index = 0; index < this.width; index += 1) {
      const code = index < text.length ? text.charCodeAt(index) : 0;
      if (code > 0x7f) return false;
      data[start + index] = code;
    }
    this.#bytes.length = start + this.width;
    return true;
  }

  #appendBytes(bytes: Uint8Array): void {
    if (bytes.length > this.width) this.#refuseSize(bytes.length, bytes);
    const start = this.#next(bytes.length);
    this.#bytes.data.set(bytes, start);
  }

  /** Makes room for a value, zeros what `size` bytes of it leave over and gives its place. */
  #next(size: number): number {
    const start = this.#bytes.length;
    this.#bytes.reserve(this.width);
    this.#bytes.length += this.width;
    this.#bytes.data.fill(0, start + size, start + this.width);
    return start;
  }

  #refuseSize(size: number, value: unknown): never {
    throw new Refusal(`has ${size} bytes, more than FixedString(${this.width}) holds`, value);
  }

  override appendDefault(): void {
    this.#next(0);
  }

  override truncate(length: number): void {
    this.#bytes.length = length * this.width;
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    out.bytes(this.#bytes.data.subarray(from * this.width, to * this.width));
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    this.#bytes.bytes(input.bytes(rows * this.width));
  }

  /** Without the zero bytes that fill it up. */
  override valueAt(index: number): string | Uint8Array {
    const bytes = this.#bytes.data.subarray(index * this.width, (index + 1) * this.width);
    const size = bytes.findLastIndex((byte) => byte !== 0) + 1;
    return textOrBytes(bytes.subarray(0, size));
  }

  /** All bytes as hexadecimal digits. */
  override textAt(index: number): string {
    return this.#bytes.data.toString("hex", index * this.width, (index + 1) * this.width).toUpperCase();
  }
}
