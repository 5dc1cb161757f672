import { FixedWriter } from "./fixed-writer.js";
import { Refusal, refuseKind } from "./refusal.js";

const EXPECTED = "a UUID such as 61f0c404-5cb3-11e7-907b-a6006ad3dba0";
const WORDS = 4;
const DASH = 45;
/** How long the text is with dashes and without. */
const LENGTH = 36;
const BARE_LENGTH = 32;

/** The value of each hexadecimal digit by its character code, -1 for all other ASCII. */
const DIGITS: Int8Array = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit += 1) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

/**
 * UUID: two 64-bit halves, the first one first, each little-endian. Given as 32 hexadecimal digits in either case, with
 * the four dashes or without any, or as its 16 bytes in the order of the text (RFC 9562).
 */
export class UuidWriter extends FixedWriter {
  /** The value being read, most significant word first. */
  readonly #words = new Int32Array(WORDS);

  constructor() {
    super(16);
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.#readText(value);
    else if (value instanceof Uint8Array) this.#readBytes(value);
    else refuseKind(value, EXPECTED);
    const at = this.cells.next() * WORDS;
    // Within each half the less significant word stands first.
    for (let word = 0; word < WORDS; word += 1) this.cells.i32[at + (word ^ 1)] = this.#words[word]!;
  }

  #readText(text: string): void {
    const isDashed = text.length === LENGTH;
    if (!isDashed && text.length !== BARE_LENGTH) throw new Refusal(`is not ${EXPECTED}`, text);
    let at = 0;
    for (let word = 0; word < WORDS; word += 1) {
      let bits = 0;
      for (let place = 0; place < 8; place += 1) {
        // A dash stands before each half of the two middle words.
        const afterDash = isDashed && (place & 3) === 0 && (word === 1 || word === 2);
        if (afterDash && text.charCodeAt(at++) !== DASH) throw new Refusal(`is not ${EXPECTED}`, text);
        const digit = DIGITS[text.charCodeAt(at++)] ?? -1;
        if (digit < 0) throw new Refusal(`is not ${EXPECTED}`, text);
        bits = (bits << 4) | digit;
      }
      this.#words[word] = bits;
    }
  }

  #readBytes(bytes: Uint8Array): void {
    if (bytes.length !== 16) throw new Refusal(`has ${bytes.length} bytes where a UUID has 16`, bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    for (let word = 0; word < WORDS; word += 1) this.#words[word] = view.getInt32(word * 4);
  }

  /** The canonical text. */
  override textAt(index: number): string {
    const hex = Array.from({ length: WORDS }, (_, word) => {
      const stored = this.cells.i32[index * WORDS + (word ^ 1)]! >>> 0;
      return stored.toString(16).padStart(8, "0");
    }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}
