import { INSTANT_BASE, INSTANT_END } from "../native/instant-number.js";
import type { TextWriter } from "./dictionary.js";
import type { RecordColumn, RecordLayout } from "./layout.js";
import { HEAD_WORD, POSITION_MASK, type RingMemory } from "./memory.js";
import { TAG, TAGS_PER_WORD } from "./tags.js";
import type { ValueWriter } from "./value-writer.js";

/** A row as a caller gives it. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** Columns whose value is the same text in every row that some code takes, whatever the row says. */
export type Constants = Readonly<Record<string, string>>;

/** Writes a record into the cells [start, end) and gives the cells it took, or 0 if it did not fit. */
export type Encode = (row: AnyRow, start: number, end: number) => number;

/** Takes a row; false if it was refused. */
export type RecordRow = (row: AnyRow) => boolean;

/** What the code of a table works on. `head` and `tail` are the producer's own view. */
export interface RecordEnvironment {
  readonly memory: RingMemory;
  readonly texts: TextWriter;
  readonly values: ValueWriter;
  readonly position: { head: number; tail: number };
  /** Cells this table may fill, of all, and cells of its longest record. */
  readonly limit: number;
  readonly most: number;
  readonly table: number;
  /** Microseconds since the Unix epoch. */
  readonly now: () => number;
  readonly constants: Constants;
  /** The rare way: no room at the first look, or only behind the ring's end. */
  readonly retry: (encode: Encode, row: AnyRow) => boolean;
}

/**
 * The code that takes rows of one table, straight-line and with every column in its place, so that it is compiled once
 * and inlined where it is called: a loop over columns takes several times as long.
 */
export function compileRecord(layout: RecordLayout, environment: RecordEnvironment): RecordRow {
  const { memory } = environment;
  const make = new Function("env", "memory", source(layout, environment.constants, memory.sizes.cells)) as (
    env: RecordEnvironment,
    memory: RingMemory,
  ) => RecordRow;
  return make(environment, memory);
}

function source(layout: RecordLayout, constants: Constants, cells: number): string {
  const { columns } = layout;
  const tagCells = tagCellsOf(columns.length);
  const fixed = 1 + tagCells + columns.reduce((sum, column) => sum + (column.kind === "time" ? 2 : 1), 0);
  const words = Array.from({ length: Math.ceil(columns.length / TAGS_PER_WORD) }, (_, word) => `t${word}`);
  return `"use strict";
const { i32, f64, i64, u8 } = memory;
const words = memory.words;
const { texts, values, position, limit, most, table, now, retry } = env;
const taken = memory.countersOf(table);
${columns.map((_, index) => `let last${index} = "", number${index} = -1;`).join("\n")}

// Texts that are usually short and ASCII; the rest is left to the general writer.
function text(value, at, end) {
  const length = value.length;
  const next = at + 1 + ((length + 7) >> 3);
  if (next > end) return -1;
  i32[at * 2] = length;
  const byte = (at + 1) * 8;
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit > 127) return values.text(value, at, end);
    u8[byte + index] = unit;
  }
  values.tag = ${TAG.ascii};
  return next;
}

// Lists of numbers; any other element sends the whole list to the general writer.
function numbers(value, at, end, most) {
  const count = value.length < most ? value.length : most;
  if (at + 1 + count > end) return -1;
  for (let index = 0; index < count; index++) {
    const element = value[index];
    if (typeof element !== "number") return values.write(value, at, end, most);
    f64[at + 1 + index] = element;
  }
  i32[at * 2] = count;
  values.tag = ${TAG.numbers};
  return at + 1 + count;
}

function encode(row, start, end) {
  if (start + ${fixed} > end) return 0;
  let at = start + ${1 + tagCells};
  let value;
  ${words.map((word) => `let ${word} = 0;`).join(" ")}
  ${columns.map((column, index) => encodeColumn(column, index, constantOf(constants, column.name))).join("\n  ")}
  ${words.map((word, index) => `i32[(start + 1) * 2 + ${index}] = ${word};`).join("\n  ")}
  i32[start * 2] = at - start;
  i32[start * 2 + 1] = table;
  return at - start;
}

return function record(row) {
  const { head } = position;
  const start = head & ${cells - 1};
  let end = start + limit - ((head - position.tail) & ${POSITION_MASK});
  if (end > start + most) end = start + most;
  if (end > ${cells}) end = ${cells};
  const size = encode(row, start, end);
  if (size === 0) return retry(encode, row);
  position.head = (head + size) & ${POSITION_MASK};
  Atomics.store(words, ${HEAD_WORD}, position.head);
  taken[0] += 1;
  return true;
};`;
}

/** The text of a column that is constant; a column may be called `constructor`, too. */
export function constantOf(constants: Constants, column: string): string | undefined {
  return Object.hasOwn(constants, column) ? constants[column] : undefined;
}

/** Cells of the tag words, which come in pairs. */
export function tagCellsOf(columns: number): number {
  return Math.ceil(columns / TAGS_PER_WORD / 2);
}

/** Names and constants come in as JSON strings only, so that none can be code. */
function encodeColumn(column: RecordColumn, index: number, constant: string | undefined): string {
  const key = constant === undefined ? `row[${JSON.stringify(column.name)}]` : JSON.stringify(constant);
  const most = column.most ?? "Infinity";
  const general = `at = values.write(value, at, end, ${most}); if (at < 0) return 0; ${setTag(index, "values.tag")}`;
  const checked = (fast: string, is: string): string => `if (${is}) { ${fast} } else { ${general} }`;
  const body: Readonly<Record<RecordColumn["kind"], string>> = {
    number: checked(
      `if (at >= end) return 0; f64[at++] = value; ${setTag(index, TAG.number)}`,
      `typeof value === "number"`,
    ),
    time: checked(
      encodeTime(column, index),
      `typeof value === "number" && value >= ${INSTANT_BASE} && value < ${INSTANT_END}`,
    ),
    name: checked(
      `if (value !== last${index}) { number${index} = texts.numberOf(value); last${index} = value; }
    if (number${index} >= 0) { if (at >= end) return 0; i32[at * 2] = number${index}; at++; ${setTag(index, TAG.interned)} }
    else { ${encodeText(index)} }`,
      `typeof value === "string"`,
    ),
    text: checked(encodeText(index), `typeof value === "string"`),
    list: checked(
      `at = numbers(value, at, end, ${most}); if (at < 0) return 0; ${setTag(index, "values.tag")}`,
      "Array.isArray(value)",
    ),
    other: general,
  };
  const absent =
    column.stampedWhenAbsent === true
      ? ` else { if (at >= end) return 0; f64[at++] = now(); ${setTag(index, TAG.micros)} }`
      : "";
  return `value = ${key};\n  if (value !== undefined) {\n    ${body[column.kind]}\n  }${absent}`;
}

function encodeText(index: number): string {
  return `at = text(value, at, end); if (at < 0) return 0; ${setTag(index, "values.tag")}`;
}

/** The nanoseconds on top of the microseconds come under a name of their own. */
function encodeTime(column: RecordColumn, index: number): string {
  return `if (at + 1 >= end) return 0;
    f64[at++] = value - ${INSTANT_BASE};
    const rest = row[${JSON.stringify(`${column.name}_ns`)}];
    if (rest === undefined) { ${setTag(index, TAG.micros)} }
    else { f64[at++] = typeof rest === "number" ? rest : NaN; ${setTag(index, TAG.nanos)} }`;
}

function setTag(index: number, tag: number | string): string {
  const word = Math.floor(index / TAGS_PER_WORD);
  const shift = (index % TAGS_PER_WORD) * 4;
  return typeof tag === "number" ? `t${word} |= ${(tag << shift) | 0};` : `t${word} |= ${tag} << ${shift};`;
}
