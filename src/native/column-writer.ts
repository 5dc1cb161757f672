import assert from "node:assert";
import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";

/**
 * The values of one column (or of the inside of one: elements, keys, …), appended one at a time and encoded as the body
 * of a column in a Native block. One subclass per type family.
 */
export abstract class ColumnWriter {
  /** Values held; a refused value is never counted. */
  abstract get length(): number;
  /** Encoded bytes that each value takes whatever it is. */
  readonly width: number;
  /** True if {@link width} is all a value takes. */
  readonly fixed: boolean;

  constructor(width: number, fixed: boolean) {
    this.width = width;
    this.fixed = fixed;
  }

  /** Encoded bytes beyond `length * width`. */
  get extraBytes(): number {
    return 0;
  }

  /** All bytes that the values take, or slightly more. */
  get bytes(): number {
    return this.length * this.width + this.extraBytes;
  }

  /**
   * Adds a value after checking it in full.
   * @throws Refusal; then {@link truncate} to the length before must follow, as a part may have been added.
   */
  abstract append(value: unknown): void;

  /** Adds the value that stands under a NULL: ClickHouse's default of the type. */
  abstract appendDefault(): void;

  /** Forgets all but the first `length` values. */
  abstract truncate(length: number): void;

  /** Writes what the format wants before the values of the whole column; only LowCardinality has such a thing. */
  encodePrefix(_out: ByteBuffer): void {}

  /** Writes the values [from, to). */
  abstract encode(out: ByteBuffer, from: number, to: number): void;

  /** Reads what {@link encodePrefix} wrote. */
  readPrefix(_input: BlockReader): void {}

  /**
   * Adds `rows` values as {@link encode} wrote them.
   * @throws ColdpathError BLOCK_DAMAGED; then {@link truncate} to the length before must follow, as a part may have been added.
   */
  abstract appendEncoded(input: BlockReader, rows: number): void;

  /** Sets the values from `index` on to `first`, `first + 1`, … */
  number(_index: number, _first: number): void {
    assert.fail("not a UInt64 column");
  }

  /** Whole Unix seconds, rounded down, of a value of a time type; NaN for NULL. */
  secondsAt(_index: number): number {
    assert.fail("not a time column");
  }

  /** See `BlockBuilder.rowAt`. */
  valueAt(index: number): unknown {
    return this.textAt(index);
  }

  /** See `BlockBuilder.valueKey`. */
  keyAt(index: number): number | string | null {
    return this.textAt(index);
  }

  /** The stored 64 bits as a signed integer, of a type that takes so many. */
  int64At(_index: number): bigint {
    assert.fail("not a column of 64 bits");
  }

  /** See `BlockBuilder.valueText`. */
  textAt(_index: number): string | null {
    assert.fail("a column of this type has no value text");
  }
}
