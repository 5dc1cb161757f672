import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { Cells } from "./cells.js";
import { ColumnWriter } from "./column-writer.js";

/** `SharedDictionariesWithAdditionalKeys`, the one version of the format. */
const KEYS_VERSION = 1;
/** The block carries its own keys … */
const HAS_ADDITIONAL_KEYS = 1 << 9;
/** … which replace those of the block before. */
const NEEDS_UPDATE = 1 << 10;
/** Bytes around keys and indexes: version, flags and two counts. */
const FRAME_BYTES = 32;
/** The code of NULL, for which the Nullable form keeps the first place. */
const NULL_CODE = 0;

/** Values numbered from 0 in the order they were first seen. */
export interface Dictionary {
  readonly length: number;
  /** Encoded bytes of all values. */
  readonly bytes: number;
  /** Takes in a default that no look-up finds, in the next place. */
  reserve(): void;
  clear(): void;
  /**
   * The number of the next encoded value, which is taken in if it is new.
   * @throws ColdpathError BLOCK_DAMAGED
   */
  codeOfEncoded(input: BlockReader): number;
  /** Writes the values numbered [from, to). */
  encode(out: ByteBuffer, from: number, to: number): void;
  textAt(code: number): string | null;
  valueAt(code: number): unknown;
}

/**
 * LowCardinality(T) and LowCardinality(Nullable(T)): the distinct values of the block once, then an index into them per
 * value, as narrow as their number allows. Subclasses fill the dictionary, so that each has straight code for its type.
 *
 * The dictionary keeps what it has seen since `clear`, refused and removed rows included; encoding numbers the values in
 * use anew, so that the bytes depend on the encoded rows alone.
 */
export abstract class LowCardinalityWriter extends ColumnWriter {
  readonly #nullable: boolean;
  readonly #dictionary: Dictionary;
  /** The code of each value. */
  readonly #codes = new Cells(4);
  /** While values are encoded, the place of each code among those in use, plus one. All 0 in between: made anew it would cost the more, the larger the dictionary. */
  #indexes = new Uint32Array(64);

  constructor(dictionary: Dictionary, nullable: boolean) {
    super(1, false);
    this.#dictionary = dictionary;
    this.#nullable = nullable;
    this.#forgetValues();
  }

  override get length(): number {
    return this.#codes.length;
  }

  override get extraBytes(): number {
    return FRAME_BYTES + this.#dictionary.bytes + this.length * (indexWidth(this.#dictionary.length) - 1);
  }

  /** Adds the value that has this code. */
  protected appendCode(code: number): void {
    this.#codes.push32(code);
  }

  /** Adds NULL if the value is none and the type allows it; false otherwise. */
  protected appendNull(value: unknown): boolean {
    if (!this.#nullable || (value !== null && value !== undefined)) return false;
    this.#codes.push32(NULL_CODE);
    return true;
  }

  /** The code of a value; undefined for NULL. */
  protected codeAt(index: number): number | undefined {
    const code = this.#codes.i32[index]!;
    return this.#nullable && code === NULL_CODE ? undefined : code;
  }

  override truncate(length: number): void {
    this.#codes.length = length;
    if (length === 0) this.#forgetValues();
  }

  #forgetValues(): void {
    this.#dictionary.clear();
    if (this.#nullable) this.#dictionary.reserve();
  }

  override encodePrefix(out: ByteBuffer): void {
    out.uint64(KEYS_VERSION);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    if (from === to) return;
    if (this.#indexes.length < this.#dictionary.length)
      this.#indexes = new Uint32Array(2 * this.#dictionary.length);
    const indexes = this.#indexes;
    const used = this.#numberValues(indexes, from, to);
    const width = indexWidth(used.length);
    out.uint64(HAS_ADDITIONAL_KEYS | NEEDS_UPDATE | (width >> 1));
    out.uint64(used.length);
    this.#encodeKeys(out, used);
    out.uint64(to - from);
    this.#encodeIndexes(out, indexes, width, from, to);
    for (const code of used) indexes[code] = 0;
  }

  /** Gives the codes in use in the order of their first use, and in `indexes` each one's place therein, plus one. */
  #numberValues(indexes: Uint32Array, from: number, to: number): number[] {
    const used: number[] = [];
    if (this.#nullable) indexes[NULL_CODE] = used.push(NULL_CODE);
    const codes = this.#codes.i32;
    for (let row = from; row < to; row += 1) {
      const code = codes[row]!;
      if (indexes[code] === 0) indexes[code] = used.push(code);
    }
    return used;
  }

  /** Keys that follow each other in the dictionary lie side by side and are copied at once. */
  #encodeKeys(out: ByteBuffer, codes: readonly number[]): void {
    let first = 0;
    for (let next = 1; next <= codes.length; next += 1) {
      if (next < codes.length && codes[next] === codes[next - 1]! + 1) continue;
      this.#dictionary.encode(out, codes[first]!, codes[next - 1]! + 1);
      first = next;
    }
  }

  #encodeIndexes(out: ByteBuffer, indexes: Uint32Array, width: number, from: number, to: number): void {
    out.reserve((to - from) * width);
    const { data } = out;
    const codes = this.#codes.i32;
    let at = out.length;
    for (let row = from; row < to; row += 1) {
      const index = indexes[codes[row]!]! - 1;
      data[at] = index;
      if (width > 1) data[at + 1] = index >> 8;
      if (width > 2) {
        data[at + 2] = index >> 16;
        data[at + 3] = index >> 24;
      }
      at += width;
    }
    out.length = at;
  }

  override readPrefix(input: BlockReader): void {
    if (input.count() !== KEYS_VERSION) input.fail("has a LowCardinality column of an unknown version");
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    if (rows === 0) return;
    const widthCode = input.count() ^ (HAS_ADDITIONAL_KEYS | NEEDS_UPDATE);
    if (widthCode > 2) input.fail("has a LowCardinality column of an unknown form");
    const codes = this.#readKeys(input);
    if (input.count() !== rows) input.fail("has a LowCardinality column with another number of rows");
    const width = 1 << widthCode;
    let at = input.skip(rows * width);
    const { data } = input;
    for (let row = 0; row < rows; row += 1, at += width) {
      const index = width === 1 ? data[at]! : width === 2 ? data.readUInt16LE(at) : data.readUInt32LE(at);
      if (index >= codes.length) input.fail("has a LowCardinality value that is none of its keys");
      this.#codes.push32(codes[index]!);
    }
  }

  /** The code of each key. */
  #readKeys(input: BlockReader): number[] {
    const count = input.count();
    if (count > input.left) input.fail("ends too early");
    const codes: number[] = [];
    for (let key = 0; key < count; key += 1) {
      const code = this.#dictionary.codeOfEncoded(input);
      codes.push(this.#nullable && key === 0 ? NULL_CODE : code);
    }
    return codes;
  }

  override valueAt(index: number): unknown {
    const code = this.codeAt(index);
    return code === undefined ? null : this.#dictionary.valueAt(code);
  }

  override keyAt(index: number): number {
    return this.#codes.i32[index]!;
  }

  override textAt(index: number): string | null {
    const code = this.codeAt(index);
    return code === undefined ? null : this.#dictionary.textAt(code);
  }
}

/** Bytes of an index that tells so many keys apart. */
function indexWidth(keys: number): 1 | 2 | 4 {
  return keys <= 0x100 ? 1 : keys <= 0x1_0000 ? 2 : 4;
}
