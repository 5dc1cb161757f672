import { compileRead, type ReadRow } from "./compile-read.js";
import type { RecordLayout } from "./layout.js";
import { HEAD_WORD, POSITION_MASK, RingMemory, TAIL_WORD } from "./memory.js";
import { WRAP } from "./producer.js";
import { ValueReader } from "./value-reader.js";

/** Takes one row, its own to change, during the call only; false leaves it in the ring, and its table's behind it. */
export type TakeRow = (table: number, row: Record<string, unknown>) => boolean;

/** Stands in place of the table's number in a record that was handed out before one in front of it. */
const HANDED = -2;

/** The one thread that reads a ring. */
export class RingConsumer {
  readonly #memory: RingMemory;
  readonly #readers: readonly ReadRow[];
  #tail: number;
  /** If it is past the tail: in front of it there are only rows of the table that waits. */
  #ahead: number;

  /** Begins where the last consumer of this ring stopped. */
  constructor(buffer: SharedArrayBuffer, layouts: readonly RecordLayout[]) {
    const memory = RingMemory.attach(buffer);
    const values = new ValueReader(memory);
    this.#memory = memory;
    this.#readers = layouts.map((layout) => compileRead(layout, memory, values));
    this.#tail = Atomics.load(memory.words, TAIL_WORD);
    this.#ahead = this.#tail;
  }

  /** Share of the ring that is filled. */
  get usage(): number {
    return this.#fromTail(this.mark()) / this.#memory.sizes.cells;
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
   * Hands out at most `most` rows that are there and frees their room: those of a table in the order they were recorded.
   * A row that is not taken holds up its own table; one of a second table that is not taken either, all behind it.
   *
   * @returns how many were taken
   */
  drain(most: number, take: TakeRow): number {
    const { words, i32, sizes } = this.#memory;
    const head = this.mark();
    let at = this.#tail;
    let rows = 0;
    let waiting: number | undefined;
    try {
      while (at !== head && rows < most && waiting === undefined) {
        const start = at & (sizes.cells - 1);
        const table = i32[start * 2 + 1]!;
        if (table >= 0 && !take(table, this.#readers[table]!(start))) waiting = table;
        else {
          if (table >= 0) rows += 1;
          at = this.#behind(at, start, table);
        }
      }
    } finally {
      this.#tail = at;
      Atomics.store(words, TAIL_WORD, at);
    }
    return waiting === undefined ? rows : rows + this.#drainPast(waiting, head, most - rows, take);
  }

  /** Hands out rows of other tables than the one that waits at the tail; their room is freed with its. */
  #drainPast(waiting: number, head: number, most: number, take: TakeRow): number {
    const { i32, sizes } = this.#memory;
    let at = this.hasPassed(this.#ahead) ? this.#tail : this.#ahead;
    let rows = 0;
    while (at !== head && rows < most) {
      const start = at & (sizes.cells - 1);
      const table = i32[start * 2 + 1]!;
      if (table >= 0 && table !== waiting) {
        if (!take(table, this.#readers[table]!(start))) break;
        i32[start * 2 + 1] = HANDED;
        rows += 1;
      }
      at = this.#behind(at, start, table);
    }
    this.#ahead = at;
    return rows;
  }

  #behind(at: number, start: number, table: number): number {
    const { i32, sizes } = this.#memory;
    return (at + (table === WRAP ? sizes.cells - start : i32[start * 2]!)) & POSITION_MASK;
  }

  #fromTail(position: number): number {
    return (position - this.#tail) & POSITION_MASK;
  }
}
