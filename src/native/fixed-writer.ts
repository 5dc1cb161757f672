import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { Cells } from "./cells.js";
import { ColumnWriter } from "./column-writer.js";
import { loadBigint } from "./words.js";

/** The base of all types whose values take the same number of bytes and stand side by side. */
export abstract class FixedWriter extends ColumnWriter {
  protected readonly cells: Cells;

  constructor(width: number) {
    super(width, true);
    this.cells = new Cells(width);
  }

  override get length(): number {
    return this.cells.length;
  }

  override appendDefault(): void {
    this.cells.zero();
  }

  override truncate(length: number): void {
    this.cells.length = length;
  }

  /** The stored integer; types that show their values otherwise override this. */
  override textAt(index: number): string {
    const words = this.width >> 2;
    return loadBigint(this.cells.i32, index * words, words, true).toString();
  }

  override int64At(index: number): bigint {
    return this.width === 8 ? this.cells.i64[index]! : super.int64At(index);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    out.bytes(this.cells.u8.subarray(from * this.width, to * this.width));
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    this.cells.pushAll(input.bytes(rows * this.width));
  }
}
