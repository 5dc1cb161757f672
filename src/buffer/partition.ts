import { SECOND_MS } from "../base/units.js";
import { type BlockBuilder, ValueError } from "../native/block.js";
import type { Table } from "../schemas/table.js";
import type { EventWindow } from "./event-window.js";

/** One partition of a table. */
export interface Partition {
  /** The value of the key: `2024-08-08`, for a month its first day; the column's text; empty for an uncut table. */
  readonly key: string;
  /**
   * Event times known to belong to it, Unix seconds [from, to): its span as far as the event window allowed when it
   * was read. Everything for a table that is not cut by time.
   */
  readonly from: number;
  readonly to: number;
}

/** Reads partitions off rows that were appended to a builder, so that no value is parsed twice. */
export interface Partitioner {
  /** Whether the row belongs to the partition: the question asked for every row. */
  holds(partition: Partition, builder: BlockBuilder, row: number): boolean;
  /** @throws ValueError if the row's event time is outside the window. */
  of(builder: BlockBuilder, row: number): Partition;
}

export function partitionerOf(table: Table, window: EventWindow): Partitioner {
  const key = table.partitionKey;
  if (key.kind === "none") return WHOLE;
  if (key.kind === "column") return new ByValue(key.column);
  return new ByTime(key.column, key.kind, window);
}

const EVERYTHING: Partition = { key: "", from: -Infinity, to: Infinity };

const WHOLE: Partitioner = { holds: () => true, of: () => EVERYTHING };

/** `PARTITION BY column`. */
class ByValue implements Partitioner {
  readonly #column: string;

  constructor(column: string) {
    this.#column = column;
  }

  holds(partition: Partition, builder: BlockBuilder, row: number): boolean {
    return builder.valueText(this.#column, row) === partition.key;
  }

  of(builder: BlockBuilder, row: number): Partition {
    const key = builder.valueText(this.#column, row);
    if (key === null) throw new ValueError(this.#column, "is needed to find the row's partition", null);
    return { key, from: -Infinity, to: Infinity };
  }
}

/** `PARTITION BY toDate(column)` and `toYYYYMM(column)`. */
class ByTime implements Partitioner {
  readonly #column: string;
  readonly #unit: "day" | "month";
  readonly #window: EventWindow;

  constructor(column: string, unit: "day" | "month", window: EventWindow) {
    this.#column = column;
    this.#unit = unit;
    this.#window = window;
  }

  holds(partition: Partition, builder: BlockBuilder, row: number): boolean {
    const seconds = builder.secondsOf(this.#column, row);
    return seconds >= partition.from && seconds < partition.to;
  }

  of(builder: BlockBuilder, row: number): Partition {
    const seconds = builder.secondsOf(this.#column, row);
    const taken = this.#window.now();
    if (seconds < taken.from || seconds > taken.to) throw this.#window.refusal(this.#column, seconds);
    const date = new Date(seconds * SECOND_MS);
    const key = `${date.toISOString().slice(0, this.#unit === "day" ? 10 : 7)}-01`.slice(0, 10);
    const span = timeSpan(key, this.#unit);
    return {
      key,
      from: Math.max(span.from / SECOND_MS, taken.from),
      to: Math.min(span.to / SECOND_MS, taken.to + 1),
    };
  }
}

/** The whole span of the day or month that begins on `key`, Unix milliseconds [from, to). */
export function timeSpan(key: string, unit: "day" | "month"): { from: number; to: number } {
  const from = new Date(`${key}T00:00:00Z`);
  const to = new Date(from);
  if (unit === "day") to.setUTCDate(to.getUTCDate() + 1);
  else to.setUTCMonth(to.getUTCMonth() + 1);
  return { from: from.getTime(), to: to.getTime() };
}
