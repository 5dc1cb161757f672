import assert from "node:assert";
import { compileRead, type ReadRow } from "./compile-read.js";
import type { RecordLayout } from "./layout.js";
import { COUNTER, HANDED_COUNT, HEAD_WORD, POSITION_MASK, RingMemory, TAIL_WORD, TOLD } from "./memory.js";
import { WRAP } from "./producer.js";
import { ValueReader } from "./value-reader.js";

/**
 * Takes one row, its own to change, during the call only; false leaves it in the ring, and its table's behind it.
 *
 * @param position of the row's record
 */
export type TakeRow = (table: number, row: Record<string, unknown>, position: number) => boolean;

/** Stands in place of the table's number in a record that no consumer of this ring is to hand out any more. */
const HANDED = -2;

/**
 * Up to which position the rows of a table are in the log, by the table's number; −1 while none is. Rows of tables that
 * are not in it are nowhere but in memory once they are taken.
 */
export type LoggedPositions = ReadonlyMap<number, number>;

/** Where a consumer stood when what it had taken so far went on its way to the log. */
export interface RingCut {
  /** All rows in front of it were taken, and some of those in front of the second. */
  readonly position: number;
  readonly ahead: number;
  /** Up to where rows of each logged table were taken. */
  readonly takenTo: Float64Array;
}

export interface ConsumerOptions {
  readonly logged?: LoggedPositions;
  /**
   * A record cannot be read, so nobody knows where the next one begins: all that was there is passed over. Without it
   * that is thrown.
   *
   * @param cells of the ring that are lost
   */
  readonly onDamaged?: (cells: number, cause: unknown) => void;
}

/**
 * The one thread that reads a ring. Its positions count cells from the ring's first day and do not wrap. Reading and freeing are
 * apart: the producer gets room back by {@link release} only, so that what was taken is still there for the next consumer
 * while nobody else has it for sure.
 */
export class RingConsumer {
  readonly #memory: RingMemory;
  readonly #readers: readonly ReadRow[];
  readonly #logged: LoggedPositions;
  readonly #onDamaged: ConsumerOptions["onDamaged"];
  /** Rows of a logged table up to here were taken, by this consumer or into the log. */
  readonly #takenTo: Float64Array;
  #position: number;
  #released: number;
  /** If it is past the position: in front of it there are only rows of the table that waits. */
  #ahead: number;
  /** The table that waits at the position, as the last look found. */
  #waiting: number | undefined;
  /** Rows of logged tables in front of it are marked if they are in the log, unless their table held them up. */
  #settled: number;
  /** By table, rows that had no room and were told of before this consumer began. */
  readonly #toldBefore: Float64Array;
  /** By table, rows that the producer could not record and that were taken note of. */
  readonly #refusedTaken: Readonly<Record<keyof typeof TOLD, Float64Array>>;
  readonly #counters: readonly Float64Array[];

  /**
   * Begins where the last consumer of this ring freed it to. Rows that are in the log by `logged` are not handed out
   * again, nor is any that was taken of a table without a log.
   */
  constructor(
    buffer: SharedArrayBuffer,
    layouts: readonly RecordLayout[],
    { logged = new Map(), onDamaged }: ConsumerOptions = {},
  ) {
    const memory = RingMemory.attach(buffer);
    const values = new ValueReader(memory);
    this.#memory = memory;
    this.#readers = layouts.map((layout) => compileRead(layout, memory, values));
    this.#logged = logged;
    this.#onDamaged = onDamaged;
    this.#takenTo = Float64Array.from(layouts, (_, table) => logged.get(table) ?? -1);
    this.#counters = layouts.map((_, table) => memory.countersOf(table));
    const told = (why: keyof typeof TOLD): Float64Array =>
      Float64Array.from(this.#counters, (counters) => counters[TOLD[why]]!);
    this.#toldBefore = told("ringFull");
    this.#refusedTaken = { ringFull: told("ringFull"), tooLarge: told("tooLarge") };
    this.#released = memory.released[0]!;
    this.#position = this.#released;
    this.#ahead = this.#released;
    this.#settled = this.#released;
    this.#markLogged({ position: this.#released, ahead: this.mark(), takenTo: this.#takenTo });
    // Should the last one have died between the two.
    Atomics.store(memory.words, TAIL_WORD, this.#released & POSITION_MASK);
  }

  /** Names the ring in the log. */
  get producer(): bigint {
    return this.#memory.producer;
  }

  /** All rows in front of it have been taken. */
  get position(): number {
    return this.#position;
  }

  /** Rows that the producer kept elsewhere because the ring was full. */
  get appended(): number {
    return this.#readers.reduce(
      (sum, _, table) => sum + this.#memory.countersOf(table)[COUNTER.appended]!,
      0,
    );
  }

  /**
   * Rows of a table that the producer could not record since the last call, or of which no earlier consumer has {@link toldRefused}.
   *
   * @param why by which counter of the ring
   */
  takeRefused(table: number, why: keyof typeof TOLD): number {
    const counted = this.#counters[table]![COUNTER[why]]!;
    const taken = this.#refusedTaken[why];
    const rows = counted - taken[table]!;
    taken[table] = counted;
    return rows;
  }

  /** So many of them are written down for good: no other consumer is to tell of them again. */
  toldRefused(table: number, why: keyof typeof TOLD, rows: number): void {
    this.#counters[table]![TOLD[why]]! += rows;
  }

  /** Rows of a table without a log that this and earlier consumers have taken. */
  handed(table: number): number {
    return this.#counters[table]![HANDED_COUNT]!;
  }

  /** Rows of a table for which the ring had no room, but for those that an earlier consumer has told of. */
  refused(table: number): number {
    return this.#memory.countersOf(table)[COUNTER.ringFull]! - this.#toldBefore[table]!;
  }

  /** Share of the ring that is not free. */
  get usage(): number {
    return (this.mark() - this.#released) / this.#memory.sizes.cells;
  }

  /** Share of the ring that holds what has not been taken. */
  get waiting(): number {
    return (this.mark() - this.#position) / this.#memory.sizes.cells;
  }

  /** Where the producer is now; see {@link hasPassed}. */
  mark(): number {
    // A ring is far smaller than what its head counts up to before it wraps.
    const head = Atomics.load(this.#memory.words, HEAD_WORD);
    return this.#position + ((head - this.#position) & POSITION_MASK);
  }

  /** Whether all rows that were there at the mark have been taken. */
  hasPassed(mark: number): boolean {
    return this.#position >= mark;
  }

  /** Whether all rows of logged tables that were there at the mark have been taken; those of others may wait in front of them. */
  hasTakenLogged(mark: number): boolean {
    if (this.hasPassed(mark)) return true;
    return this.#ahead >= mark && this.#waiting !== undefined && !this.#logged.has(this.#waiting);
  }

  /**
   * Hands out at most `most` rows that are there: those of a table in the order they were recorded. A row that is not taken holds
   * up its own table; one of a second table that is not taken either, all behind it.
   *
   * @returns how many were taken
   */
  drain(most: number, take: TakeRow): number {
    const { i32, sizes } = this.#memory;
    const head = this.mark();
    let at = this.#position;
    let rows = 0;
    let waiting: number | undefined;
    try {
      while (at < head && rows < most) {
        const start = at & (sizes.cells - 1);
        const table = i32[start * 2 + 1]!;
        if (table >= 0 && !this.#wasTaken(table, at)) {
          if (!take(table, this.#read(table, start), at)) {
            waiting = table;
            break;
          }
          this.#note(table, at);
          rows += 1;
        }
        at = this.#behind(at, table, head);
      }
    } catch (error) {
      if (!(error instanceof Damage) || this.#onDamaged === undefined) throw error;
      this.#onDamaged(head - at, error.cause);
      at = head;
    } finally {
      this.#position = at;
      this.#waiting = waiting;
    }
    return waiting === undefined ? rows : rows + this.#drainPast(waiting, head, most - rows, take);
  }

  /**
   * Gives the room in front of `position` back to the producer: the rows there are in the log, or in memory only by right.
   *
   * @param position one that {@link position} once gave
   */
  release(position: number): void {
    if (position <= this.#released) return;
    assert(position <= this.#position, "what was not taken is not freed");
    this.#released = position;
    this.#memory.released[0] = position;
    Atomics.store(this.#memory.words, TAIL_WORD, position & POSITION_MASK);
  }

  /** What was taken so far goes on its way to the log. */
  cut(): RingCut {
    const position = this.#position;
    return { position, ahead: Math.max(position, this.#ahead), takenTo: this.#takenTo.slice() };
  }

  /**
   * What was taken before the cut is in the log: its room is freed, and rows that were handed out past others are marked, as the log may be
   * emptied of them, and of their positions, before the others are taken.
   */
  settle(cut: RingCut): void {
    this.release(cut.position);
    this.#settled = this.#markLogged(cut);
  }

  /** The row at this position was taken, and another consumer is not to take it again. */
  pass(position: number): void {
    const { i32, sizes } = this.#memory;
    // What was freed may be another record by now.
    if (position >= this.#released) i32[(position & (sizes.cells - 1)) * 2 + 1] = HANDED;
  }

  /** Hands out rows of other tables than the one that waits at the position. */
  #drainPast(waiting: number, head: number, most: number, take: TakeRow): number {
    const { i32, sizes } = this.#memory;
    let at = Math.max(this.#position, this.#ahead);
    let rows = 0;
    try {
      while (at < head && rows < most) {
        const start = at & (sizes.cells - 1);
        const table = i32[start * 2 + 1]!;
        if (table >= 0 && table !== waiting && !this.#wasTaken(table, at)) {
          if (!take(table, this.#read(table, start), at)) break;
          this.#note(table, at);
          rows += 1;
        }
        at = this.#behind(at, table, head);
      }
    } catch (error) {
      // Told when all in front of it has been taken.
      if (!(error instanceof Damage)) throw error;
    } finally {
      this.#ahead = at;
    }
    return rows;
  }

  /** Gives where it came to. */
  #markLogged({ position, ahead, takenTo }: RingCut): number {
    const { i32, sizes } = this.#memory;
    let at = Math.max(position, this.#settled);
    try {
      while (at < ahead) {
        const table = i32[(at & (sizes.cells - 1)) * 2 + 1]!;
        const next = this.#behind(at, table, ahead);
        if (table >= 0 && at <= takenTo[table]!) this.pass(at);
        at = next;
      }
    } catch (error) {
      // Told when all in front of it has been taken.
      if (!(error instanceof Damage)) throw error;
    }
    return at;
  }

  /** A table's rows leave in order, so that one position tells them apart. */
  #wasTaken(table: number, at: number): boolean {
    return at <= this.#takenTo[table]!;
  }

  #note(table: number, at: number): void {
    if (this.#logged.has(table)) {
      this.#takenTo[table] = at;
      return;
    }
    this.pass(at);
    this.#counters[table]![HANDED_COUNT]! += 1;
  }

  #read(table: number, start: number): Record<string, unknown> {
    try {
      return this.#readers[table]!(start);
    } catch (cause) {
      throw new Damage("", { cause });
    }
  }

  /** Where the record behind the one at `at` begins. */
  #behind(at: number, table: number, head: number): number {
    const { i32, sizes } = this.#memory;
    const start = at & (sizes.cells - 1);
    const next = at + (table === WRAP ? sizes.cells - start : i32[start * 2]!);
    if (next > at && next <= head) return next;
    throw new Damage("", { cause: new Error(`a record of ${next - at} cells, of ${head - at}`) });
  }
}

/** A record that no producer wrote, or that another one wrote over. */
class Damage extends Error {}
