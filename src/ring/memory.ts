import assert from "node:assert";
import { randomBytes } from "node:crypto";

/**
 * The shared memory of one ring, drawn in `docs/reference/formats/ring.md`. A cell is eight bytes. Positions count cells from the
 * ring's beginning and wrap at 2^31; the cell of a position is `position & mask`.
 */

/** What the two sides agree on when a ring is made. */
export interface RingSizes {
  /** Cells for records: a power of two, at most 2^28. */
  readonly cells: number;
  /** Most texts in the dictionary, and bytes of all of them together. */
  readonly texts: number;
  readonly textBytes: number;
  readonly tables: number;
}

const MAGIC = 0x676e_6972;
const VERSION = 2;
const LINE = 64;

/** Words (of 32 bits) of the first line; behind them the 64 bits that name the ring. */
const WORD = { magic: 0, version: 1, cells: 2, texts: 3, textBytes: 4, tables: 5 } as const;
const PRODUCER_BYTE: number = 6 * 4;
/** On the same line: 0, or one more than the id of the thread that records. */
export const WRITER_WORD = 8;

/** Positions wrap here: they stay small integers, which the compiler keeps out of the heap. */
export const POSITION_MASK = 0x7fff_ffff;

/** Words of {@link RingMemory.i32} that the sides publish, each on a cache line of its own. */
export const HEAD_WORD: number = LINE / 4;
export const TAIL_WORD: number = (2 * LINE) / 4;
/** Texts in the dictionary; written by the producer before the record that uses the newest. */
export const TEXTS_WORD: number = (3 * LINE) / 4;

/** Behind the tail, as the consumer writes both: the same position, which does not wrap here, a double. */
const RELEASED_BYTE: number = 2 * LINE + 8;

/** Behind the number of texts, as the producer writes both: events of an unknown type, a double. */
const UNKNOWN_EVENTS_BYTE: number = 3 * LINE + 8;

/** Counters of one table, doubles on a line of their own; the producer alone writes them. Behind them on that line are {@link TOLD} and {@link HANDED_COUNT}, which consumers write. */
export const COUNTERS = ["taken", "ring_full", "too_large", "appended", "closed"] as const;

/** Places of {@link COUNTERS}. */
export const COUNTER = { taken: 0, ringFull: 1, tooLarge: 2, appended: 3, closed: 4 } as const;
const COUNTERS_PER_TABLE: number = LINE / 8;
/** Places of what the consumers have written down of two of the {@link COUNTER}s, so that none tells of the same rows again. */
export const TOLD = { ringFull: 5, tooLarge: 6 } as const;
/** Place of how many rows consumers have taken that none is to be handed again: rows of tables without a log. */
export const HANDED_COUNT = 7;

/** Views of one ring's memory. */
export class RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: RingSizes;
  /** 64 random bits that name this ring, and so its producer, in the log. */
  readonly producer: bigint;
  /** The whole memory in words, for {@link HEAD_WORD}, {@link TAIL_WORD} and {@link TEXTS_WORD}. */
  readonly words: Int32Array;
  /** The tail counted from the ring's first day, without wrapping, in its one element; written before the tail. */
  readonly released: Float64Array;
  /** How many events were refused because their type is unknown, in its one element. */
  readonly unknownEvents: Float64Array;
  /** Byte ends of the dictionary's texts, and their UTF-16 units. */
  readonly textEnds: Uint32Array;
  readonly textUnits: Uint16Array;
  /** The cells, seen in four ways. */
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly i64: BigInt64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly #counters: Float64Array;

  private constructor(buffer: SharedArrayBuffer, sizes: RingSizes) {
    const at = offsetsOf(sizes);
    this.buffer = buffer;
    this.sizes = sizes;
    this.producer = new BigUint64Array(buffer, PRODUCER_BYTE, 1)[0]!;
    this.words = new Int32Array(buffer);
    this.released = new Float64Array(buffer, RELEASED_BYTE, 1);
    this.unknownEvents = new Float64Array(buffer, UNKNOWN_EVENTS_BYTE, 1);
    this.#counters = new Float64Array(buffer, at.counters, sizes.tables * COUNTERS_PER_TABLE);
    this.textEnds = new Uint32Array(buffer, at.textEnds, sizes.texts);
    this.textUnits = new Uint16Array(buffer, at.textUnits, sizes.textBytes >> 1);
    this.i32 = new Int32Array(buffer, at.cells, sizes.cells * 2);
    this.f64 = new Float64Array(buffer, at.cells, sizes.cells);
    this.i64 = new BigInt64Array(buffer, at.cells, sizes.cells);
    this.u8 = new Uint8Array(buffer, at.cells, sizes.cells * 8);
    this.u16 = new Uint16Array(buffer, at.cells, sizes.cells * 4);
  }

  static create(sizes: RingSizes): RingMemory {
    const { cells, texts, textBytes, tables } = sizes;
    assert(cells >= 64 && cells <= 2 ** 28 && (cells & (cells - 1)) === 0, "cells are a power of two");
    const buffer = new SharedArrayBuffer(offsetsOf(sizes).end);
    // Written once now, so that the system finds no page for it while somebody records.
    new Uint8Array(buffer).fill(0);
    const words = new Int32Array(buffer);
    words[WORD.magic] = MAGIC;
    words[WORD.version] = VERSION;
    words[WORD.cells] = cells;
    words[WORD.texts] = texts;
    words[WORD.textBytes] = textBytes;
    words[WORD.tables] = tables;
    new Uint8Array(buffer).set(randomBytes(8), PRODUCER_BYTE);
    return new RingMemory(buffer, sizes);
  }

  /** The ring that another thread made in `buffer`. */
  static attach(buffer: SharedArrayBuffer): RingMemory {
    const words = new Int32Array(buffer);
    assert(words[WORD.magic] === MAGIC && words[WORD.version] === VERSION, "not a ring of this version");
    return new RingMemory(buffer, {
      cells: words[WORD.cells]!,
      texts: words[WORD.texts]!,
      textBytes: words[WORD.textBytes]!,
      tables: words[WORD.tables]!,
    });
  }

  /** Share of the cells that hold records nobody has taken yet. */
  get usage(): number {
    const head = Atomics.load(this.words, HEAD_WORD);
    const tail = Atomics.load(this.words, TAIL_WORD);
    return ((head - tail) & POSITION_MASK) / this.sizes.cells;
  }

  /** The counters of one table, in the order of {@link COUNTERS}, {@link TOLD} and {@link HANDED_COUNT}. */
  countersOf(table: number): Float64Array {
    const from = table * COUNTERS_PER_TABLE;
    return this.#counters.subarray(from, from + COUNTERS_PER_TABLE);
  }
}

function offsetsOf({ cells, texts, textBytes, tables }: RingSizes) {
  const counters = 4 * LINE;
  const textEnds = counters + tables * COUNTERS_PER_TABLE * 8;
  const textUnits = textEnds + toLine(texts * 4);
  const first = textUnits + toLine(textBytes);
  return { counters, textEnds, textUnits, cells: first, end: first + cells * 8 };
}

function toLine(bytes: number): number {
  return Math.ceil(bytes / LINE) * LINE;
}
