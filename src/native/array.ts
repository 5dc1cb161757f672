import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { ColumnWriter } from "./column-writer.js";
import { EndOffsets } from "./end-offsets.js";
import { refuseAt, refuseKind } from "./refusal.js";

/** Array(T): per value the total of elements so far as UInt64, then all elements as one column of T. */
export class ArrayWriter extends ColumnWriter {
  readonly #ends = new EndOffsets();
  readonly #elements: ColumnWriter;

  constructor(elements: ColumnWriter) {
    super(8, false);
    this.#elements = elements;
  }

  override get length(): number {
    return this.#ends.length;
  }

  override get extraBytes(): number {
    return this.#elements.bytes;
  }

  override append(value: unknown): void {
    const elements = Array.isArray(value) ? value : elementsOf(value);
    for (let index = 0; index < elements.length; index += 1) {
      try {
        this.#elements.append(elements[index]);
      } catch (error) {
        refuseAt(`element ${index}`, error);
      }
    }
    this.#ends.push(this.#elements.length);
  }

  override appendDefault(): void {
    this.#ends.push(this.#elements.length);
  }

  override truncate(length: number): void {
    this.#ends.truncate(length);
    this.#elements.truncate(this.#ends.start(length));
  }

  /** Elements of one value. */
  sizeAt(index: number): number {
    return this.#ends.start(index + 1) - this.#ends.start(index);
  }

  override valueAt(index: number): unknown[] {
    const start = this.#ends.start(index);
    return Array.from({ length: this.sizeAt(index) }, (_, at) => this.#elements.valueAt(start + at));
  }

  override encodePrefix(out: ByteBuffer): void {
    this.#elements.encodePrefix(out);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    encodeOffsets(out, this.#ends, from, to);
    this.#elements.encode(out, this.#ends.start(from), this.#ends.start(to));
  }

  override readPrefix(input: BlockReader): void {
    this.#elements.readPrefix(input);
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    this.#elements.appendEncoded(input, appendOffsets(this.#ends, input, rows));
  }
}

/** Adds the ends that {@link encodeOffsets} wrote for `rows` values; gives how many elements these have. */
export function appendOffsets(ends: EndOffsets, input: BlockReader, rows: number): number {
  const base = ends.start(ends.length);
  const first = input.skip(rows * 8);
  let total = 0;
  for (let row = 0; row < rows; row += 1) {
    const offset = input.countAt(first + row * 8);
    if (offset < total) input.fail("has offsets that fall");
    total = offset;
    ends.push(base + offset);
  }
  return total;
}

/** The offsets of the values [from, to), counted from the first of them. */
export function encodeOffsets(out: ByteBuffer, ends: EndOffsets, from: number, to: number): void {
  const base = ends.start(from);
  const size = (to - from) * 8;
  out.reserve(size);
  const { data } = out;
  let at = out.length;
  data.fill(0, at, at + size);
  for (let index = from + 1; index <= to; index += 1) {
    const offset = ends.start(index) - base;
    data[at] = offset;
    data[at + 1] = offset >>> 8;
    data[at + 2] = offset >>> 16;
    data[at + 3] = offset >>> 24;
    at += 8;
  }
  out.length = at;
}

function elementsOf(value: unknown): ArrayLike<unknown> {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) refuseKind(value, "an array");
  return value as unknown as ArrayLike<unknown>;
}
