import { compileRead, type ReadRow } from "./compile-read.js";
import type { RecordLayout } from "./layout.js";
import { HEAD_WORD, POSITION_MASK, RingMemory, TAIL_WORD } from "./memory.js";
import { WRAP } from "./producer.js";
import { ValueReader } from "./value-reader.js";

/** Takes one row, its own to change, during the call only; false leaves it in the ring, and all behind it. */
export type TakeRow = (table: number, row: Record<string, unknown>) => boolean;

/** The one thread that reads a ring. */
export class RingConsumer {
  readonly #memory: RingMemory;
  readonly #readers: readonly ReadRow[];
  #tail: number;

  /** Begins where the last consumer of this ring stopped. */
  constructor(buffer: SharedArrayBuffer, layouts: readonly RecordLayout[]) {
    const memory = RingMemory.attach(buffer);
    const values = new ValueReader(memory);
    this.#memory = memory;
    this.#readers = layouts.map((layout) => compileRead(layout, memory, values));
    this.#tail = Atomics.load(memory.words, TAIL_WORD);
  }

  /** Share of the ring that is filled. */
  get usage(): number {
    const { words, sizes } = this.#memory;
    return ((Atomics.load(words, HEAD_WORD) - this.#tail) & POSITION_MASK) / sizes.cells;
  }

  /** Where the producer is now; see {@link hasPassed}. */
  mark(): number {
    return Atomics.load(this.#memory.words, HEAD_WORD);
  }

  /** Whether all rows that were there at the mark have been taken. */
  hasPassed(mark: number): boolean {
    // Positions wrap; a ring is far smaller than half of their range.
    return ((this.#tail - mark) & POSITION_MASK) < POSITION_MASK >> 1;
  }

  /**
   * Hands out at most `most` rows that are there, in the order they were recorded, and then frees their room.
   *
   * @returns how many were taken
   */
  drain(most: number, take: TakeRow): number {
    const { words, i32, sizes } = this.#memory;
    const mask = sizes.cells - 1;
    const head = Atomics.load(words, HEAD_WORD);
    let tail = this.#tail;
    let rows = 0;
    try {
      while (tail !== head && rows < most) {
        const start = tail & mask;
        const table = i32[start * 2 + 1]!;
        if (table === WRAP) {
          tail = (tail + sizes.cells - start) & POSITION_MASK;
          continue;
        }
        const size = i32[start * 2]!;
        const row = this.#readers[table]!(start);
        if (!take(table, row)) break;
        tail = (tail + size) & POSITION_MASK;
        rows += 1;
      }
    } finally {
      this.#tail = tail;
      Atomics.store(words, TAIL_WORD, tail);
    }
    return rows;
  }
}
