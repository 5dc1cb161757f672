import { systemClock } from "../base/clock.js";
import { EventWindow } from "../buffer/event-window.js";
import type { Origin } from "../buffer/origin.js";
import { type Partitioner, partitionerOf } from "../buffer/partition.js";
import { Stamp, sentColumns } from "../buffer/stamp.js";
import { BlockBuilder, type Row } from "../native/block.js";
import type { Table } from "../schemas/table.js";

/** Event times taken, in milliseconds before and after now. */
export interface Accept {
  readonly past: number;
  readonly future: number;
}

const ORIGIN: ReadonlySet<string> = new Set(["source", "source_seq"]);

/**
 * Rows of a table as lines of JSON, of which any recorder makes the same bytes. A row is looked at as a recorder does, so that one that would be
 * refused is known where its line in the file is.
 */
export class RowLines {
  readonly #builder: BlockBuilder;
  readonly #stamp: Stamp;
  readonly #partitioner: Partitioner;

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
    this.#partitioner.of(builder, 0);
    // What the row leaves out is left to the table.
    const given = Object.entries(builder.rowAt(0)).filter(
      ([name]) => row[name] !== undefined || ORIGIN.has(name),
    );
    return JSON.stringify(Object.fromEntries(given), (_key, value: unknown) =>
      value instanceof Map ? Object.fromEntries(value) : value,
    );
  }
}
