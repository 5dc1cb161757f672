import assert from "node:assert";
import { Micros } from "../native/micros.js";
import { TextReader } from "./dictionary.js";
import type { RingMemory } from "./memory.js";
import { TAG } from "./tags.js";

/** What stands in a row for a value that no column takes: the columns refuse it and name its kind. */
export class OtherValue {
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }

  toString(): string {
    return this.kind;
  }
}

/** Reads back what {@link ValueWriter} and the compiled writers wrote. */
export class ValueReader {
  /** The cell behind the value read last. */
  next = 0;
  readonly #memory: RingMemory;
  readonly #bytes: Buffer;
  readonly #texts: TextReader;

  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.u8.buffer, memory.u8.byteOffset, memory.u8.byteLength);
    this.#texts = new TextReader(memory);
  }

  /** A text of the dictionary. */
  text(number: number): string {
    return this.#texts.get(number);
  }

  /** The value with this tag whose payload begins at cell `at`; {@link next} is then the cell behind it. */
  read(tag: number, at: number): unknown {
    const { f64, i64, i32 } = this.#memory;
    this.next = at + 1;
    switch (tag) {
      case TAG.number:
        return f64[at];
      case TAG.interned:
        return this.#texts.get(i32[at * 2]!);
      case TAG.int64:
        return i64[at];
      case TAG.micros:
        return new Micros(f64[at]!, 0);
      case TAG.nanos:
        this.next = at + 2;
        return new Micros(f64[at]!, f64[at + 1]!);
      case TAG.ascii:
        return this.#ascii(at);
      case TAG.utf16:
        return this.#utf16(at);
      case TAG.numbers:
        return this.#numbers(at);
      case TAG.list:
        return this.#list(at);
      case TAG.map:
        return this.#map(at);
      case TAG.wideInteger:
        return BigInt(this.#ascii(at));
      case TAG.other:
        return new OtherValue(this.#ascii(at));
    }
    this.next = at;
    return tag === TAG.null ? null : tag === TAG.absent ? undefined : tag === TAG.true;
  }

  #ascii(at: number): string {
    const length = this.#memory.i32[at * 2]!;
    const start = (at + 1) * 8;
    this.next = at + 1 + ((length + 7) >> 3);
    return this.#bytes.toString("latin1", start, start + length);
  }

  #utf16(at: number): string {
    const length = this.#memory.i32[at * 2]!;
    const start = (at + 1) * 8;
    this.next = at + 1 + ((length + 3) >> 2);
    return this.#bytes.toString("utf16le", start, start + length * 2);
  }

  #numbers(at: number): number[] {
    const count = this.#memory.i32[at * 2]!;
    this.next = at + 1 + count;
    return Array.from(this.#memory.f64.subarray(at + 1, at + 1 + count));
  }

  #list(at: number): unknown[] {
    const list: unknown[] = [];
    for (let left = this.#count(at); left > 0; left -= 1) list.push(this.#tagged());
    return list;
  }

  #map(at: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let left = this.#count(at); left > 0; left -= 1)
      entries.push([this.#tagged() as string, this.#tagged()]);
    return Object.fromEntries(entries);
  }

  /** Of elements that take a cell at least, so that a damaged one is found before memory is full of them. */
  #count(at: number): number {
    const count = this.#memory.i32[at * 2]!;
    assert(count < this.#memory.sizes.cells, "a list fits the ring");
    return count;
  }

  #tagged(): unknown {
    const at = this.next;
    return this.read(this.#memory.i32[at * 2]!, at + 1);
  }
}
