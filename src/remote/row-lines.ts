import { systemClock } from "../base/clock.js";
import { EventWindow } from "../buffer/event-window.js";
import type { Origin } from "../buffer/origin.js";
import { type Partition, type Partitioner, partitionerOf } from "../buffer/partition.js";
import { Stamp, sentColumns } from "../buffer/stamp.js";
import { BlockBuilder, type Row } from "../native/block.js";
import { NumberText } from "../native/number-text.js";
import type { Table } from "../schemas/table.js";

/** Event times taken, in milliseconds before and after now. */
export interface Accept {
  readonly past: number;
  readonly future: number;
}

/**
 * Rows of a table as lines of JSON, of which any recorder makes the same bytes. A row is looked at as a recorder does, so that one that would be
 * refused is known where its line in the file is.
 */
export class RowLines {
  readonly #builder: BlockBuilder;
  readonly #stamp: Stamp;
  readonly #partitioner: Partitioner;
  /** Of the last row. */
  #partition: Partition | undefined;

  constructor(table: Table, accept: Accept) {
    this.#builder = new BlockBuilder(sentColumns(table));
    // Whoever takes the line writes its own.
    this.#stamp = new Stamp({ env: "", recorder: "", run: 0n }, table);
    this.#partitioner = partitionerOf(table, new EventWindow(accept, systemClock));
  }

  /** @throws ValueError for a row that does not fit */
  of(row: Row, origin: Origin): string {
    const builder = this.#builder;
    builder.clear();
    builder.append(row, this.#stamp.of(row, origin, 0, 0));
    if (this.#partition === undefined || !this.#partitioner.holds(this.#partition, builder, 0))
      this.#partition = this.#partitioner.of(builder, 0);
    const line: Record<string, unknown> = { source: origin.source, source_seq: origin.seq.toString() };
    for (const [name, value] of Object.entries(row)) {
      // What the row leaves out is left to the table.
      if (value !== undefined) line[name] = this.#plain(name, value);
    }
    return JSON.stringify(line);
  }

  /** A value as JSON has it. Text is read there as it was here, digits of a number as the number. */
  #plain(column: string, value: unknown): unknown {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    return value instanceof NumberText ? value.text : withoutMaps(this.#builder.valueAt(column, 0));
  }
}

function withoutMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMaps);
  if (typeof value !== "object" || value === null) return value;
  const entries = value instanceof Map ? [...(value as ReadonlyMap<string, unknown>)] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutMaps(inner)]));
}
