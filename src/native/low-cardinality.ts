import { isUtf8 } from "node:buffer";
import type { ByteBuffer } from "./byte-buffer.js";
import { Cells } from "./cells.js";
import { ColumnWriter } from "./column-writer.js";
import { Refusal, refuseKind } from "./refusal.js";
import { TextDictionary } from "./text-dictionary.js";

/** `SharedDictionariesWithAdditionalKeys`, the one version of the format. */
const KEYS_VERSION = 1;
/** The block carries its own keys … */
const HAS_ADDITIONAL_KEYS = 1 << 9;
/** … which replace those of the block before. */
const NEEDS_UPDATE = 1 << 10;
/** The code of NULL, for which the Nullable form keeps the first place. */
const NULL_CODE = 0;

/**
 * LowCardinality(String) and LowCardinality(Nullable(String)): the distinct texts of the block once, then an index into
 * them per value, as narrow as their number allows.
 *
 * The dictionary keeps what it has seen since `clear`, refused and removed rows included; encoding numbers the texts in
 * use anew, so that the bytes depend on the encoded rows alone.
 */
export class LowCardinalityWriter extends ColumnWriter {
  readonly #nullable: boolean;
  readonly #texts = new TextDictionary();
  /** The code of each value. */
  readonly #values = new Cells(4);

  constructor(nullable: boolean) {
    super(1, false);
    this.#nullable = nullable;
    this.#forgetTexts();
  }

  override get length(): number {
    return this.#values.length;
  }

  override get extraBytes(): number {
    return this.#texts.bytes + this.length * (indexWidth(this.#texts.length) - 1);
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.#values.push32(this.#texts.codeOf(value));
    else if (value instanceof Uint8Array) this.#values.push32(this.#texts.codeOf(textOf(value)));
    else if (this.#nullable && (value === null || value === undefined)) this.#values.push32(NULL_CODE);
    else refuseKind(value, "a string");
  }

  override appendDefault(): void {
    this.append("");
  }

  override truncate(length: number): void {
    this.#values.length = length;
    if (length === 0) this.#forgetTexts();
  }

  #forgetTexts(): void {
    this.#texts.clear();
    if (this.#nullable) this.#texts.reserve();
  }

  override encodePrefix(out: ByteBuffer): void {
    out.uint64(KEYS_VERSION);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    if (from === to) return;
    const indexes = new Uint32Array(this.#texts.length);
    const used = this.#numberTexts(indexes, from, to);
    const width = indexWidth(used.length);
    out.uint64(HAS_ADDITIONAL_KEYS | NEEDS_UPDATE | (width >> 1));
    out.uint64(used.length);
    this.#texts.encode(out, used);
    out.uint64(to - from);
    this.#encodeIndexes(out, indexes, width, from, to);
  }

  /** Gives the codes in use in the order of their first use, and in `indexes` each one's place therein, plus one. */
  #numberTexts(indexes: Uint32Array, from: number, to: number): number[] {
    const used: number[] = [];
    if (this.#nullable) indexes[NULL_CODE] = used.push(NULL_CODE);
    const codes = this.#values.i32;
    for (let row = from; row < to; row += 1) {
      const code = codes[row]!;
      if (indexes[code] === 0) indexes[code] = used.push(code);
    }
    return used;
  }

  #encodeIndexes(out: ByteBuffer, indexes: Uint32Array, width: number, from: number, to: number): void {
    out.reserve((to - from) * width);
    const { data } = out;
    const codes = this.#values.i32;
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

  override textAt(index: number): string | null {
    const code = this.#values.i32[index]!;
    return this.#nullable && code === NULL_CODE ? null : this.#texts.textAt(code);
  }
}

/** Bytes of an index that tells so many keys apart. */
function indexWidth(keys: number): 1 | 2 | 4 {
  return keys <= 0x100 ? 1 : keys <= 0x1_0000 ? 2 : 4;
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Refusal("is not valid UTF-8", bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
