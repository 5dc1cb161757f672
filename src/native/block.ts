import assert from "node:assert";
import { ColdpathError, messageOf } from "../base/errors.js";
import { ByteBuffer } from "./byte-buffer.js";
import type { ColumnWriter } from "./column-writer.js";
import { type AppendRow, compileAppend } from "./compile-append.js";
import { createWriter } from "./create-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal } from "./refusal.js";
import { ValueError } from "./value-error.js";

export { ValueError } from "./value-error.js";

/** One column of the table a block is for. */
export interface BlockColumn {
  readonly name: string;
  /** ClickHouse type name as DESCRIBE prints it. */
  readonly type: string;
  /** True exactly if the column is neither Nullable nor has a DEFAULT: a row without it is refused. */
  readonly required: boolean;
  /** The constant DEFAULT as text that the column's writer reads; used for a missing key, never for null. */
  readonly defaultText?: string;
  /** The value comes from the stamp that goes with the row, not from the row. */
  readonly stamped?: boolean;
}

/** Column name to value; what each column type takes is listed in `docs/reference/formats/native.md`. */
export type Row = Readonly<Record<string, unknown>>;

/** A column with all that is decided once. */
interface Slot {
  readonly name: string;
  readonly stamped: boolean;
  /** What a missing key stands for; undefined if the column is required. */
  readonly absent: unknown;
  readonly writer: ColumnWriter;
  /** Name and type as the block wants them before the values. */
  readonly header: Uint8Array;
}

/**
 * Collects rows of one table column by column and encodes them as ClickHouse Native blocks
 * (`docs/reference/formats/native.md`).
 */
export class BlockBuilder {
  readonly #slots: readonly Slot[];
  readonly #appendRow: AppendRow;
  readonly #varying: readonly ColumnWriter[];
  readonly #slotOf: ReadonlyMap<string, Slot>;
  /** Bytes of all that does not depend on the number of rows, and bytes that every row takes. */
  readonly #headerBytes: number;
  readonly #rowBytes: number;
  #rows = 0;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column type that is not written. */
  constructor(columns: readonly BlockColumn[]) {
    this.#slots = columns.map(slotOf);
    this.#slotOf = new Map(this.#slots.map((slot) => [slot.name, slot]));
    assert(this.#slotOf.size === columns.length, "column names must differ");
    this.#appendRow = compileAppend(
      columns,
      this.#slots.map((slot) => slot.writer),
      this.#slots.map((slot) => slot.absent),
    );
    this.#varying = this.#slots.map((slot) => slot.writer).filter((writer) => !writer.fixed);
    this.#headerBytes = 16 + sum(this.#slots.map((slot) => slot.header.length)) + this.#varying.length * 32;
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

  /** One Native block of the rows [from, to), by default all; the buffer belongs to the caller. */
  encode(from = 0, to: number = this.#rows): Buffer {
    assert(from >= 0 && from <= to && to <= this.#rows, "rows out of range");
    const share = this.#rows === 0 ? 0 : (to - from) / this.#rows;
    const out = new ByteBuffer(this.#headerBytes + Math.ceil((this.bytes - this.#headerBytes) * share));
    out.varint(this.#slots.length);
    out.varint(to - from);
    for (const { header, writer } of this.#slots) {
      out.bytes(header);
      // A block without rows has no prefixes either.
      if (from === to) continue;
      writer.encodePrefix(out);
      writer.encode(out, from, to);
    }
    return out.data.subarray(0, out.length);
  }

  /** Whole Unix seconds, rounded down, of an appended Date, DateTime or DateTime64 value; NaN for NULL. */
  secondsOf(column: string, row: number): number {
    return this.#writerOf(column, row).secondsAt(row);
  }

  /**
   * A text that differs between any two different values of the column (`PARTITION BY column`); null for NULL.
   * Integers, strings, enums and bools read as ClickHouse prints them, the other types as the integer they are stored
   * as; Array and Map columns have none.
   */
  valueText(column: string, row: number): string | null {
    return this.#writerOf(column, row).textAt(row);
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
    assert(slot, `there is no column ${column}`);
    assert(row >= 0 && row < this.#rows, "row out of range");
    return slot.writer;
  }
}

function slotOf(column: BlockColumn): Slot {
  const { name, type, required, defaultText, stamped = false } = column;
  const writer = writerOf(name, type);
  const header = new ByteBuffer();
  header.text(name);
  header.text(type);
  const absent = required ? undefined : defaultText === undefined ? null : defaultOf(type, defaultText);
  if (absent !== undefined) checkAbsent(column, writer, absent);
  return { name, stamped, absent, writer, header: header.data.subarray(0, header.length) };
}

function writerOf(name: string, type: string): ColumnWriter {
  try {
    return createWriter(type);
  } catch (error) {
    throw new ColdpathError("TYPE_UNSUPPORTED", `column ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** A DEFAULT that its own column does not take is found here, not at the first row that wants it. */
function checkAbsent({ name }: BlockColumn, writer: ColumnWriter, absent: unknown): void {
  try {
    writer.append(absent);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const value = absent === null ? "without a DEFAULT, null" : `the DEFAULT ${String(absent)}`;
    throw new ColdpathError("TYPE_UNSUPPORTED", `column ${name}: ${value} ${error.reason}`);
  }
  writer.truncate(0);
}

/** The value a DEFAULT stands for. An Array or Map has no text that a writer reads; only the empty one is written. */
function defaultOf(type: string, text: string): unknown {
  if (type.startsWith("Array(") && text === "[]") return [];
  if (type.startsWith("Map(") && text === "{}") return {};
  return text;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
