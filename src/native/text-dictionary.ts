import { isUtf8 } from "node:buffer";
import type { BlockReader } from "./block-reader.js";
import { ByteBuffer } from "./byte-buffer.js";
import { EndOffsets } from "./end-offsets.js";

/** Texts numbered in the order they were first seen, kept as the encoded values of a String column. */
export class TextDictionary {
  readonly #codes = new Map<string, number>();
  readonly #bytes = new ByteBuffer();
  readonly #ends = new EndOffsets();
  #lastText: string | undefined;
  #lastCode = 0;

  /** Texts held. */
  get length(): number {
    return this.#ends.length;
  }

  /** Encoded bytes of all texts. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /**
   * The number of a text, which is taken in if it is new. Runs of one text, as stamps are, cost no look-up.
   * @throws Refusal for a text that UTF-8 cannot hold.
   */
  codeOf(text: string): number {
    if (text === this.#lastText) return this.#lastCode;
    const code = this.#codes.get(text) ?? this.#add(text);
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }

  #add(text: string): number {
    const code = this.#ends.length;
    this.#bytes.text(text);
    this.#ends.push(this.#bytes.length);
    this.#codes.set(text, code);
    return code;
  }

  /**
   * The number of the next text of an encoded String column, which is taken in if it is new.
   * @throws ColdpathError BLOCK_DAMAGED for bytes that are no text.
   */
  codeOfEncoded(input: BlockReader): number {
    const bytes = input.sizedBytes();
    if (!isUtf8(bytes)) input.fail("has a LowCardinality key that is not UTF-8");
    return this.codeOf(bytes.toString());
  }

  /** Takes in an empty text that no look-up finds, in the next place. */
  reserve(): void {
    this.#bytes.varint(0);
    this.#ends.push(this.#bytes.length);
  }

  textAt(code: number): string {
    return this.#bytes.sizedText(this.#ends.start(code), this.#ends.start(code + 1));
  }

  valueAt(code: number): string {
    return this.textAt(code);
  }

  clear(): void {
    this.#codes.clear();
    this.#bytes.length = 0;
    this.#ends.truncate(0);
    this.#lastText = undefined;
  }

  /** Writes the texts numbered [from, to). */
  encode(out: ByteBuffer, from: number, to: number): void {
    out.bytes(this.#bytes.data.subarray(this.#ends.start(from), this.#ends.start(to)));
  }
}
