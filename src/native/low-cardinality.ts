import { isUtf8 } from "node:buffer";
import { ByteBuffer } from "./byte-buffer.js";
import { Cells } from "./cells.js";
import { ColumnWriter } from "./column-writer.js";
import { EndOffsets } from "./end-offsets.js";
import { Refusal, refuseKind } from "./refusal.js";

/** `SharedDictionariesWithAdditionalKeys`, the one version of the format. */
const KEYS_VERSION = 1;
/** The block carries its own keys … */
const HAS_ADDITIONAL_KEYS = 1 << 9;
/** … which replace those of the block before. */
const NEEDS_UPDATE = 1 << 10;

/**
 * LowCardinality(String) and LowCardinality(Nullable(String)): the distinct texts of the block once, then an index into
 * them per value, as narrow as their number allows. The first key of the Nullable form stands for NULL.
 *
 * Codes number the texts in the order they were first seen since `clear`; encoding renumbers those in use, so that the
 * bytes depend on the encoded rows alone.
 */
export class LowCardinalityWriter extends ColumnWriter {
  readonly #nullable: boolean;
  readonly #codes = new Map<string, number>();
  /** The texts by code, as String values. */
  readonly #keys = new ByteBuffer();
  readonly #keyEnds = new EndOffsets();
  /** The code of each value. */
  readonly #values = new Cells(4);
  #lastText: string | undefined;
  #lastCode = 0;

  constructor(nullable: boolean) {
    super(1, false);
    this.#nullable = nullable;
    this.#forgetKeys();
  }

  override get length(): number {
    return this.#values.length;
  }

  override get extraBytes(): number {
    return this.#keys.length + this.length * (indexWidth(this.#keyEnds.length) - 1);
  }

  override append(value: unknown): void {
    if (typeof value === "string")
      this.#values.push32(value === this.#lastText ? this.#lastCode : this.#codeOf(value));
    else if (value instanceof Uint8Array) this.#values.push32(this.#codeOf(textOf(value)));
    else if (this.#nullable && (value === null || value === undefined)) this.#values.push32(0);
    else refuseKind(value, "a string");
  }

  override appendDefault(): void {
    this.append("");
  }

  #codeOf(text: string): number {
    const code = this.#codes.get(text) ?? this.#addKey(text);
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }

  #addKey(text: string): number {
    const code = this.#keyEnds.length;
    this.#keys.text(text);
    this.#keyEnds.push(this.#keys.length);
    this.#codes.set(text, code);
    return code;
  }

  override truncate(length: number): void {
    this.#values.length = length;
    if (length === 0) this.#forgetKeys();
  }

  #forgetKeys(): void {
    this.#codes.clear();
    this.#keys.length = 0;
    this.#keyEnds.truncate(0);
    this.#lastText = undefined;
    if (this.#nullable) {
      this.#keys.varint(0);
      this.#keyEnds.push(this.#keys.length);
    }
  }

  override encodePrefix(out: ByteBuffer): void {
    out.uint64(KEYS_VERSION);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    if (from === to) return;
    const indexes = new Uint32Array(this.#keyEnds.length);
    const used = this.#numberKeys(indexes, from, to);
    const width = indexWidth(used.length);
    out.uint64(HAS_ADDITIONAL_KEYS | NEEDS_UPDATE | (width >> 1));
    out.uint64(used.length);
    this.#encodeKeys(out, used);
    out.uint64(to - from);
    this.#encodeIndexes(out, indexes, width, from, to);
  }

  /** Gives the codes in use in the order of their first use, and in `indexes` each one's place therein, plus one. */
  #numberKeys(indexes: Uint32Array, from: number, to: number): number[] {
    const used: number[] = [];
    if (this.#nullable) indexes[0] = used.push(0);
    const codes = this.#values.i32;
    for (let row = from; row < to; row += 1) {
      const code = codes[row]!;
      if (indexes[code] === 0) indexes[code] = used.push(code);
    }
    return used;
  }

  /** Keys whose codes follow each other lie side by side and are copied at once. */
  #encodeKeys(out: ByteBuffer, used: readonly number[]): void {
    let first = 0;
    for (let next = 1; next <= used.length; next += 1) {
      if (next < used.length && used[next] === used[next - 1]! + 1) continue;
      const start = this.#keyEnds.start(used[first]!);
      out.bytes(this.#keys.data.subarray(start, this.#keyEnds.start(used[next - 1]! + 1)));
      first = next;
    }
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
    if (this.#nullable && code === 0) return null;
    return this.#keys.sizedText(this.#keyEnds.start(code), this.#keyEnds.start(code + 1));
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
