import assert from "node:assert";
import {
  type AnyRow,
  type Constants,
  compileRecord,
  constantOf,
  type Encode,
  type RecordEnvironment,
  type RecordRow,
} from "./compile-record.js";
import { TextWriter } from "./dictionary.js";
import { LAST_SHARE, type RecordLayout } from "./layout.js";
import { COUNTER, HEAD_WORD, POSITION_MASK, RingMemory, TAIL_WORD } from "./memory.js";
import { ValueWriter } from "./value-writer.js";

/** Keeps a row elsewhere; false if it cannot. */
type Append = (layout: RecordLayout, row: AnyRow, constants: Constants) => boolean;

/** Where the record goes on at the ring's beginning, this stands in place of a table's number. */
export const WRAP = -1;

export interface ProducerOptions {
  readonly buffer: SharedArrayBuffer;
  readonly layouts: readonly RecordLayout[];
  /** Cells that only rows of critical tables may fill. */
  readonly reserve: number;
  /** Microseconds since the Unix epoch. */
  readonly now: () => number;
  /** Last resort for a row of a critical table that the ring has no room for; false if it cannot keep it either. */
  readonly append?: Append | undefined;
}

/** Which of the counters a row goes by. */
type Fate = (typeof COUNTER)[keyof typeof COUNTER];

/** Why there is no room for a row, which may go elsewhere. */
const REFUSED: ReadonlySet<Fate> = new Set([COUNTER.ringFull, COUNTER.tooLarge]);

/** A record may take this share of the ring. */
const RECORD_SHARE = 4;

/** The one thread that writes to a ring. */
export class RingProducer {
  readonly #memory: RingMemory;
  readonly #position: { head: number; tail: number };
  readonly #options: ProducerOptions;
  readonly #records = new Map<string, RecordRow>();
  #isClosed = false;
  readonly #shared: Pick<RecordEnvironment, "memory" | "texts" | "values" | "now">;

  constructor(options: ProducerOptions) {
    const { buffer, reserve, now } = options;
    const memory = RingMemory.attach(buffer);
    const { cells } = memory.sizes;
    assert(reserve >= 0 && reserve < cells, "the reserve is a part of the ring");
    this.#options = options;
    this.#memory = memory;
    this.#position = {
      head: Atomics.load(memory.words, HEAD_WORD),
      tail: Atomics.load(memory.words, TAIL_WORD),
    };
    this.#shared = { memory, texts: new TextWriter(memory), values: new ValueWriter(memory), now };
  }

  /**
   * The function that takes the rows of a table.
   *
   * @param constants columns that have this text in every row, whatever the row says
   */
  recordOf(name: string, constants: Constants = {}): RecordRow {
    const key = `${name} ${JSON.stringify(constants)}`;
    let record = this.#records.get(key);
    if (record === undefined) {
      record = this.#compile(name, constants);
      this.#records.set(key, record);
    }
    return record;
  }

  #compile(name: string, constants: Constants): RecordRow {
    const { layouts, reserve, append } = this.#options;
    const { cells } = this.#memory.sizes;
    const table = layouts.findIndex((each) => each.table === name);
    const layout = layouts[table];
    assert(layout !== undefined, `the ring has no table ${name}`);
    const room = layout.critical ? cells : cells - reserve;
    const { last } = layout;
    const limit = last === undefined ? room : Math.floor(room * (1 - LAST_SHARE));
    // Looked at where the room was not enough, so that it costs the others nothing.
    const limitOf = (row: AnyRow): number =>
      last !== undefined && (constantOf(constants, last.column) ?? row[last.column]) === last.text
        ? room
        : limit;
    const most = Math.floor(cells / RECORD_SHARE);
    const counters = this.#memory.countersOf(table);
    return compileRecord(layout, {
      ...this.#shared,
      position: this.#position,
      limit,
      most,
      table,
      constants,
      retry: (encode, row) => {
        const fate = this.#retry(encode, row, limitOf(row), most);
        // A row has one fate: one that is in a file is not told of as refused.
        const isAppended = layout.critical && REFUSED.has(fate) && append?.(layout, row, constants) === true;
        counters[isAppended ? COUNTER.appended : fate]! += 1;
        return isAppended || fate === COUNTER.taken;
      },
    });
  }

  /** Counts an event that is of no table. */
  countUnknown(): void {
    this.#memory.unknownEvents[0]! += 1;
  }

  /** Takes no more rows: whoever records after that is told so. */
  close(): void {
    this.#isClosed = true;
    // Seems full from now on, so that each row comes by `#retry`; an open ring pays nothing for this.
    this.#position.tail = (this.#position.head - this.#memory.sizes.cells) & POSITION_MASK;
  }

  /** Share of the ring that is filled. */
  get usage(): number {
    const { words, sizes } = this.#memory;
    return ((this.#position.head - Atomics.load(words, TAIL_WORD)) & POSITION_MASK) / sizes.cells;
  }

  /** There was no room by what this side knew, or none in one piece before the ring's end. Gives by which counter the row goes. */
  #retry(encode: Encode, row: AnyRow, limit: number, most: number): Fate {
    const memory = this.#memory;
    if (this.#isClosed) return COUNTER.closed;
    const { cells } = memory.sizes;
    const position = this.#position;
    position.tail = Atomics.load(memory.words, TAIL_WORD);
    const start = position.head & (cells - 1);
    const free = limit - ((position.head - position.tail) & POSITION_MASK);
    const toEnd = cells - start;
    let size = encode(row, start, start + Math.min(free, toEnd, most));
    let skipped = 0;
    if (size === 0 && toEnd < Math.min(free, most)) {
      skipped = toEnd;
      size = encode(row, 0, Math.min(free - toEnd, most));
    }
    if (size === 0) {
      // With all the room a record may have, it would not fit at any other time either.
      const isTooLarge = Math.max(Math.min(free, toEnd), free - toEnd) >= most;
      return isTooLarge ? COUNTER.tooLarge : COUNTER.ringFull;
    }
    if (skipped > 0) memory.i32[start * 2 + 1] = WRAP;
    position.head = (position.head + skipped + size) & POSITION_MASK;
    Atomics.store(memory.words, HEAD_WORD, position.head);
    return COUNTER.taken;
  }
}
