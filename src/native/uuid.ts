import { FixedWriter } from "./fixed-writer.js";
import { Refusal, refuseKind } from "./refusal.js";

const EXPECTED = "a UUID such as 61f0c404-5cb3-11e7-907b-a6006ad3dba0";
const UUID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/**
 * UUID: two 64-bit halves, the first one first, each little-endian. Given as 32 hexadecimal digits in either case, with
 * the four dashes or without any, or as its 16 bytes in the order of the text (RFC 9562).
 */
export class UuidWriter extends FixedWriter {
  constructor() {
    super(16);
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.#appendText(value);
    else if (value instanceof Uint8Array) this.#appendBytes(value);
    else refuseKind(value, EXPECTED);
  }

  #appendText(text: string): void {
    if (!UUID.test(text)) throw new Refusal(`is not ${EXPECTED}`, text);
    const digits = text.length === 32 ? text : text.replaceAll("-", "");
    this.#push((word) => Number.parseInt(digits.slice(word * 8, word * 8 + 8), 16));
  }

  #appendBytes(bytes: Uint8Array): void {
    if (bytes.length !== 16) throw new Refusal(`has ${bytes.length} bytes where a UUID has 16`, bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    this.#push((word) => view.getUint32(word * 4));
  }

  /** Adds the UUID of four 32-bit words, most significant first. */
  #push(wordAt: (word: number) => number): void {
    const at = this.cells.next() * 4;
    // Within each half the less significant word stands first.
    for (let word = 0; word < 4; word += 1) this.cells.i32[at + (word ^ 1)] = wordAt(word);
  }

  /** The canonical text. */
  override textAt(index: number): string {
    const hex = Array.from({ length: 4 }, (_, word) => {
      const stored = this.cells.i32[index * 4 + (word ^ 1)]! >>> 0;
      return stored.toString(16).padStart(8, "0");
    }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}
