import type { BlockReader } from "./block-reader.js";
import { ByteBuffer } from "./byte-buffer.js";
import type { ColumnWriter } from "./column-writer.js";

/** Values of any type numbered in the order they were first seen, told apart by their encoded bytes. */
export class ValueDictionary {
  readonly #codes = new Map<string, number>();
  readonly #values: ColumnWriter;
  readonly #scratch = new ByteBuffer();

  /** @param values an empty writer, which then belongs to the dictionary. */
  constructor(values: ColumnWriter) {
    this.#values = values;
  }

  /** Values held. */
  get length(): number {
    return this.#values.length;
  }

  /** Encoded bytes of all values. */
  get bytes(): number {
    return this.#values.bytes;
  }

  /**
   * The number of a value, which is taken in if it is new.
   * @throws Refusal for a value that the type does not take.
   */
  codeOf(value: unknown): number {
    const code = this.#values.length;
    try {
      this.#values.append(value);
    } catch (error) {
      this.#values.truncate(code);
      throw error;
    }
    return this.#codeOfLast();
  }

  /** The number of the type's default. */
  codeOfDefault(): number {
    this.#values.appendDefault();
    return this.#codeOfLast();
  }

  /** The number of the next encoded value, which is taken in if it is new; throws as `ColumnWriter.appendEncoded`. */
  codeOfEncoded(input: BlockReader): number {
    this.#values.appendEncoded(input, 1);
    return this.#codeOfLast();
  }

  /** The number of the value just added, which is taken back if it is not new. */
  #codeOfLast(): number {
    const last = this.#values.length - 1;
    this.#scratch.length = 0;
    this.#values.encode(this.#scratch, last, last + 1);
    const key = this.#scratch.data.toString("latin1", 0, this.#scratch.length);
    const known = this.#codes.get(key);
    if (known === undefined) this.#codes.set(key, last);
    else this.#values.truncate(last);
    return known ?? last;
  }

  /** Takes in a default that no look-up finds, in the next place. */
  reserve(): void {
    this.#values.appendDefault();
  }

  textAt(code: number): string | null {
    return this.#values.textAt(code);
  }

  valueAt(code: number): unknown {
    return this.#values.valueAt(code);
  }

  secondsAt(code: number): number {
    return this.#values.secondsAt(code);
  }

  clear(): void {
    this.#codes.clear();
    this.#values.truncate(0);
  }

  /** Writes the values numbered [from, to). */
  encode(out: ByteBuffer, from: number, to: number): void {
    this.#values.encode(out, from, to);
  }
}
