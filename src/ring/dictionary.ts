import assert from "node:assert";
import { type RingMemory, TEXTS_WORD } from "./memory.js";

/** Longer texts are not worth a place. */
const TEXT_MAX = 64;

/** The producer's side of a ring's dictionary: texts that come again and again are written once. */
export class TextWriter {
  readonly #memory: RingMemory;
  readonly #numbers = new Map<string, number>();

  /** Goes on where another producer of this ring stopped. */
  constructor(memory: RingMemory) {
    this.#memory = memory;
    const texts = new TextReader(memory);
    const count = Atomics.load(memory.words, TEXTS_WORD);
    for (let number = 0; number < count; number += 1) this.#numbers.set(texts.get(number), number);
  }

  /** The number of a text, or -1 if it has no place: too long, or the dictionary is full. */
  numberOf(text: string): number {
    return this.#numbers.get(text) ?? this.#add(text);
  }

  #add(text: string): number {
    const { textEnds, textUnits, words } = this.#memory;
    const number = this.#numbers.size;
    const start = number === 0 ? 0 : textEnds[number - 1]!;
    const end = start + text.length;
    if (text.length > TEXT_MAX || number >= textEnds.length || end > textUnits.length) return -1;
    for (let index = 0; index < text.length; index += 1) textUnits[start + index] = text.charCodeAt(index);
    textEnds[number] = end;
    // The record that uses it is published later, and with it all that was written before.
    words[TEXTS_WORD] = number + 1;
    this.#numbers.set(text, number);
    return number;
  }
}

/** The consumer's side. */
export class TextReader {
  readonly #memory: RingMemory;
  readonly #texts: string[] = [];

  constructor(memory: RingMemory) {
    this.#memory = memory;
  }

  get(number: number): string {
    return this.#texts[number] ?? this.#read(number);
  }

  #read(number: number): string {
    const { textEnds, textUnits, words } = this.#memory;
    assert(number < Atomics.load(words, TEXTS_WORD), "the dictionary has this text");
    // In order, so that the list has no holes, which would slow every look-up.
    for (let next = this.#texts.length; next <= number; next += 1) {
      const start = next === 0 ? 0 : textEnds[next - 1]!;
      this.#texts.push(String.fromCharCode(...textUnits.subarray(start, textEnds[next]!)));
    }
    return this.#texts[number]!;
  }
}
