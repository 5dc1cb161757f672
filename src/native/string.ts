import type { BlockReader } from "./block-reader.js";
import { ByteBuffer } from "./byte-buffer.js";
import { ColumnWriter } from "./column-writer.js";
import { EndOffsets } from "./end-offsets.js";
import { refuseKind } from "./refusal.js";
import { textOrBytes } from "./text-or-bytes.js";

/** String: per value its length as varint and its bytes; text as UTF-8, a Uint8Array as it is. */
export class StringWriter extends ColumnWriter {
  readonly #bytes = new ByteBuffer();
  readonly #ends = new EndOffsets();

  constructor() {
    super(0, false);
  }

  override get length(): number {
    return this.#ends.length;
  }

  override get extraBytes(): number {
    return this.#bytes.length;
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.#bytes.text(value);
    else if (value instanceof Uint8Array) this.#bytes.sizedBytes(value);
    else refuseKind(value, "a string");
    this.#ends.push(this.#bytes.length);
  }

  override appendDefault(): void {
    this.#bytes.varint(0);
    this.#ends.push(this.#bytes.length);
  }

  override truncate(length: number): void {
    this.#ends.truncate(length);
    this.#bytes.length = this.#ends.start(length);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    out.bytes(this.#bytes.data.subarray(this.#ends.start(from), this.#ends.start(to)));
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    const start = input.skip(0);
    const base = this.#bytes.length - start;
    for (let row = 0; row < rows; row += 1) {
      const size = input.varint();
      this.#ends.push(base + input.skip(size) + size);
    }
    this.#bytes.bytes(input.data.subarray(start, input.skip(0)));
  }

  override valueAt(index: number): string | Uint8Array {
    return textOrBytes(this.#bytes.sizedBytesAt(this.#ends.start(index), this.#ends.start(index + 1)));
  }

  override textAt(index: number): string {
    return this.#bytes.sizedText(this.#ends.start(index), this.#ends.start(index + 1));
  }
}
