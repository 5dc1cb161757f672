import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { Cells } from "./cells.js";
import { ColumnWriter } from "./column-writer.js";

/** Nullable(T): a byte per value, 1 for NULL, then the values with T's default under each NULL. */
export class NullableWriter extends ColumnWriter {
  readonly #mask = new Cells(1);
  readonly #values: ColumnWriter;

  constructor(values: ColumnWriter) {
    super(values.width + 1, values.fixed);
    this.#values = values;
  }

  override get length(): number {
    return this.#mask.length;
  }

  override get extraBytes(): number {
    return this.#values.extraBytes;
  }

  override append(value: unknown): void {
    const isNull = value === null || value === undefined;
    if (isNull) this.#values.appendDefault();
    else this.#values.append(value);
    this.#mask.push8(isNull ? 1 : 0);
  }

  override appendDefault(): void {
    this.append(null);
  }

  override truncate(length: number): void {
    this.#mask.length = length;
    this.#values.truncate(length);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    out.bytes(this.#mask.u8.subarray(from, to));
    this.#values.encode(out, from, to);
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    this.#mask.pushAll(input.bytes(rows));
    this.#values.appendEncoded(input, rows);
  }

  override secondsAt(index: number): number {
    return this.#isNull(index) ? Number.NaN : this.#values.secondsAt(index);
  }

  override valueAt(index: number): unknown {
    return this.#isNull(index) ? null : this.#values.valueAt(index);
  }

  override keyAt(index: number): number | string | null {
    return this.#isNull(index) ? null : this.#values.keyAt(index);
  }

  override textAt(index: number): string | null {
    return this.#isNull(index) ? null : this.#values.textAt(index);
  }

  #isNull(index: number): boolean {
    return this.#mask.u8[index] === 1;
  }
}
