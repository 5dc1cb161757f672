import { Micros } from "../native/micros.js";
import { tagCellsOf } from "./compile-record.js";
import type { RecordColumn, RecordLayout } from "./layout.js";
import type { RingMemory } from "./memory.js";
import { TAG, TAGS_PER_WORD } from "./tags.js";
import type { ValueReader } from "./value-reader.js";

/** Reads the record at cell `start` into the one row of its table; the row is good until the next call. */
export type ReadRow = (start: number) => Record<string, unknown>;

/** The reading side of `compileRecord`. */
export function compileRead(layout: RecordLayout, memory: RingMemory, values: ValueReader): ReadRow {
  const make = new Function("memory", "values", "Micros", source(layout)) as (
    memory: RingMemory,
    values: ValueReader,
    micros: typeof Micros,
  ) => ReadRow;
  return make(memory, values, Micros);
}

function source({ columns }: RecordLayout): string {
  const names = columns.map(({ name }) => JSON.stringify(name));
  return `"use strict";
const { i32, f64 } = memory;
const most = memory.sizes.cells;
const row = { ${names.map((name) => `[${name}]: undefined`).join(", ")} };
${columns.map(scratch).join("\n")}
return (start) => {
  let at = start + ${1 + tagCellsOf(columns.length)};
  let tag;
  ${columns
    .map(({ kind }, index) => {
      const word = Math.floor(index / TAGS_PER_WORD);
      const shift = (index % TAGS_PER_WORD) * 4;
      return `tag = (i32[(start + 1) * 2 + ${word}] >>> ${shift}) & 15;
  ${readColumn(names[index]!, kind, index)}`;
    })
    .join("\n  ")}
  return row;
};`;
}

/** What a column's values are handed out in, again and again: whoever takes a row copies it. */
function scratch({ kind }: RecordColumn, index: number): string {
  if (kind === "time") return `const time${index} = new Micros(0, 0);`;
  return kind === "list" ? `const list${index} = [];` : "";
}

function readColumn(name: string, kind: string, index: number): string {
  const fast =
    kind === "number"
      ? `if (tag === ${TAG.number}) row[${name}] = f64[at++];`
      : kind === "time"
        ? `if (tag === ${TAG.micros}) { time${index}.micros = f64[at++]; time${index}.nanos = 0; row[${name}] = time${index}; }`
        : kind === "list"
          ? `if (tag === ${TAG.numbers}) {
    const count = i32[at++ * 2];
    if (count > most) throw new RangeError("a list of " + count + " numbers");
    list${index}.length = count;
    for (let place = 0; place < count; place++) list${index}[place] = f64[at++];
    row[${name}] = list${index};
  }`
          : `if (tag === ${TAG.interned}) row[${name}] = values.text(i32[at++ * 2]);`;
  return `if (tag === ${TAG.absent}) row[${name}] = undefined;
  else ${fast}
  else { row[${name}] = values.read(tag, at); at = values.next; }`;
}
