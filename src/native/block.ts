import assert from "node:assert";
import { ColdpathError } from "../base/errors.js";
import type { BlockColumn, Row } from "./block-column.js";
import { BlockReader } from "./block-reader.js";
import { ByteBuffer } from "./byte-buffer.js";
import type { ColumnWriter } from "./column-writer.js";
import { type AppendRow, compileAppend } from "./compile-append.js";
import { checkNestedSizes, nestedGroups } from "./nested-sizes.js";
import { NumberText } from "./number-text.js";
import { Refusal } from "./refusal.js";
import { createSlot, type Slot } from "./slot.js";
import { ValueError } from "./value-error.js";

export type { BlockColumn, Row } from "./block-column.js";
export { ValueError } from "./value-error.js";

const NONE: ReadonlySet<string> = new Set();

/**
 * Collects rows of one table column by column and encodes them as ClickHouse Native blocks
 * (`docs/reference/formats/native.md`).
 */
export class BlockBuilder {
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
  readonly #slots: readonly Slot[];
  readonly #appendRow: AppendRow;
  readonly #varying: readonly ColumnWriter[];
  readonly #nested: ReturnType<typeof nestedGroups>;
  readonly #slotOf: ReadonlyMap<string, Slot>;
  /** Bytes of all that does not depend on the number of rows, and bytes that every row takes. */
  readonly #headerBytes: number;
  readonly #rowBytes: number;
  #rows = 0;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column type that is not written. */
  constructor(columns: readonly BlockColumn[]) {
    this.columns = columns.map(({ name }) => name);
    this.#slots = columns.map(createSlot);
    this.#slotOf = new Map(this.#slots.map((slot) => [slot.name, slot]));
    assert(this.#slotOf.size === columns.length, "column names must differ");
    this.#appendRow = compileAppend(
      columns,
      this.#slots.map((slot) => slot.writer),
      this.#slots.map((slot) => slot.absent),
    );
    this.#varying = this.#slots.map((slot) => slot.writer).filter((writer) => !writer.fixed);
    this.#nested = nestedGroups(this.#slots);
    this.#headerBytes = 16 + sum(this.#slots.map((slot) => slot.header.length));
    this.#rowBytes = sum(this.#slots.map((slot) => slot.writer.width));
  }

  /** Rows held. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes that {@link encode} would give for all rows, or slightly more. */
  get bytes(): number {
    let bytes = this.#headerBytes + this.#rows * this.#rowBytes;
    for (const writer of this.#varying) bytes += writer.extraBytes;
    return bytes;
  }

  /**
   * Adds a row; keys that are no columns are ignored (see `unknownKey`).
   * @throws ValueError if a value does not fit; the builder is then as it was before.
   */
  append(row: Row, stamp: Row): void {
    try {
      this.#appendRow(row, stamp);
      for (const group of this.#nested) checkNestedSizes(group, this.#rows, row, stamp);
    } catch (error) {
      const refused = this.#slots.find((slot) => slot.writer.length === this.#rows);
      this.#truncate(this.#rows);
      if (!(error instanceof Refusal) || refused === undefined) throw error;
      const given = (refused.stamped ? stamp : row)[refused.name];
      const reason = given === undefined ? "is required" : error.reason;
      throw new ValueError(refused.name, reason, given instanceof NumberText ? given : error.value);
    }
    this.#rows += 1;
  }

  /**
   * Adds the rows of a block that {@link encode} of a builder with the same columns gave; gives how many.
   * @throws ColdpathError BLOCK_COLUMNS if it has other columns, BLOCK_DAMAGED if it is no whole block; the builder is
   * then as it was before.
   */
  appendBlock(block: Uint8Array): number {
    const input = new BlockReader(block);
    try {
      const columns = input.varint();
      const rows = input.varint();
      if (columns !== this.#slots.length) {
        refuseColumns(`${columns} columns where the table has ${this.#slots.length}`);
      }
      for (const { name, header, writer } of this.#slots) {
        if (!input.takes(header)) refuseColumn(input, name);
        if (rows === 0) continue;
        writer.readPrefix(input);
        writer.appendEncoded(input, rows);
      }
      if (input.left > 0) input.fail("does not end after its columns");
      this.#rows += rows;
      return rows;
    } catch (error) {
      this.#truncate(this.#rows);
      throw error;
    }
  }

  /** Sets a UInt64 column of the rows from `from` on to `first`, `first + 1`, … */
  number(column: string, from: number, first: number): void {
    assert(from <= this.#rows && Number.isSafeInteger(first + this.#rows), "numbers out of range");
    if (from < this.#rows) this.#writerOf(column, from).number(from, first);
  }

  /**
   * One Native block of the rows [from, to), by default all, in a new buffer or in place of what `out` held; without the columns `leftOut`.
   */
  encode(
    from = 0,
    to: number = this.#rows,
    out: ByteBuffer = new ByteBuffer(),
    leftOut: ReadonlySet<string> = NONE,
  ): Buffer {
    assert(from >= 0 && from <= to && to <= this.#rows, "rows out of range");
    const share = this.#rows === 0 ? 0 : (to - from) / this.#rows;
    out.length = 0;
    out.reserve(this.#headerBytes + Math.ceil((this.bytes - this.#headerBytes) * share));
    const slots = leftOut.size === 0 ? this.#slots : this.#slots.filter(({ name }) => !leftOut.has(name));
    out.varint(slots.length);
    out.varint(to - from);
    for (const { header, writer } of slots) {
      out.bytes(header);
      // A block without rows has no prefixes either.
      if (from === to) continue;
      writer.encodePrefix(out);
      writer.encode(out, from, to);
    }
    return out.data.subarray(0, out.length);
  }

  /** The encoded values of one row but for those columns: rows that differ in nothing else give the same bytes. */
  encodeRowWithout(columns: ReadonlySet<string>, row: number): Buffer {
    assert(row >= 0 && row < this.#rows, "row out of range");
    const out = new ByteBuffer();
    for (const { name, writer } of this.#slots) if (!columns.has(name)) writer.encode(out, row, row + 1);
    return out.data.subarray(0, out.length);
  }

  /** Whole Unix seconds, rounded down, of an appended Date, DateTime or DateTime64 value; NaN for NULL. */
  secondsOf(column: string, row: number): number {
    return this.#writerOf(column, row).secondsAt(row);
  }

  /**
   * A text that differs between any two different values of the column (`PARTITION BY column`); null for NULL.
   * Integers, strings, enums, bools, UUID and IPv4 read as ClickHouse prints them, FixedString as the hexadecimal digits of
   * all its bytes, the other types as the integer they are stored as; Array, Map and Tuple columns have none.
   */
  valueText(column: string, row: number): string | null {
    return this.#writerOf(column, row).textAt(row);
  }

  /** As {@link valueText}, or a number where that costs less: tells the column's values apart until {@link clear}. */
  valueKey(column: string, row: number): number | string | null {
    return this.#writerOf(column, row).keyAt(row);
  }

  /** The stored integer of a column of 64 bits, such as DateTime64. */
  int64Of(column: string, row: number): bigint {
    return this.#writerOf(column, row).int64At(row);
  }

  /**
   * One row as a person reads it, which {@link append} takes and makes the same bytes of: times and dates as ISO text, decimals
   * and wide integers as digits, a Map as a Map, a Tuple as an object if its elements have names, bytes that are no text as they are.
   */
  rowAt(row: number): Row {
    assert(row >= 0 && row < this.#rows, "row out of range");
    return Object.fromEntries(this.#slots.map(({ name, writer }) => [name, writer.valueAt(row)]));
  }

  /** One value as {@link rowAt} gives it. */
  valueAt(column: string, row: number): unknown {
    return this.#writerOf(column, row).valueAt(row);
  }

  /** Takes the last row back. */
  removeLast(): void {
    assert(this.#rows > 0, "there is no row to take back");
    this.#rows -= 1;
    this.#truncate(this.#rows);
  }

  /** Forgets all rows and keeps the memory for the next ones. */
  clear(): void {
    this.#rows = 0;
    this.#truncate(0);
  }

  #truncate(rows: number): void {
    for (const { writer } of this.#slots) writer.truncate(rows);
  }

  #writerOf(column: string, row: number): ColumnWriter {
    const slot = this.#slotOf.get(column);
    // Not assert(slot, text): the text would be made for every row that is read back.
    if (slot === undefined) assert.fail(`there is no column ${column}`);
    assert(row >= 0 && row < this.#rows, "row out of range");
    return slot.writer;
  }
}

function refuseColumn(input: BlockReader, expected: string): never {
  const name = input.sizedBytes();
  refuseColumns(`the column ${name} ${input.sizedBytes()} where ${expected} is expected`);
}

function refuseColumns(found: string): never {
  throw new ColdpathError("BLOCK_COLUMNS", `a Native block has ${found}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
