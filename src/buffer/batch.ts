import assert from "node:assert";
import type { BlockBuilder } from "../native/block.js";
import type { ByteBuffer } from "../native/byte-buffer.js";
import type { Table } from "../schemas/table.js";
import type { Partition } from "./partition.js";

/** Columns that differ each time the same row is taken. */
const NUMBERING: ReadonlySet<string> = new Set(["run", "seq"]);

const IDENTITY: ReadonlySet<string> = new Set(["recorder", "run", "seq"]);

/** What one column of one row holds. */
export interface HeldValue {
  readonly seq: string;
  readonly source: string | null;
  readonly sourceSeq: string | null;
  /** One Native block: the row's identity and the value. */
  readonly block: Buffer;
}

/** Rows with the numbers [firstSeq, firstSeq + count). */
export interface SeqSpan {
  readonly firstSeq: number;
  readonly count: number;
}

/** What a batch has in common with the batches that it may be split into. */
export interface BatchPlace {
  readonly table: Table;
  readonly partition: Partition;
  readonly inherited?: boolean;
  /** See {@link Batch.sealed}. */
  readonly sealed?: number | undefined;
  /** Unique within table and run. */
  readonly number: number;
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  /** Of all rows, in order; for rows of a log. */
  readonly frames?: readonly SeqSpan[];
}

/**
 * Rows of one partition that are stored together or not at all. Frozen: however often it is sent, these are the same
 * rows in the same order and, for the same table, the same bytes.
 */
export class Batch {
  readonly table: Table;
  readonly partition: Partition;
  /** Rows logged by an earlier start, or stored and lost by ClickHouse: attempts that nobody here knows of may have stored them. */
  readonly inherited: boolean;
  /** The latest generation of its token that the log knows of; undefined if it knows of none. */
  readonly sealed: number | undefined;
  /** Unique within run and table: `17`, or for the rows [250, 500) of batch 17 that had to be split, `17.250-500`. */
  readonly name: string;
  /** Monotonic milliseconds when its oldest row was taken. */
  readonly openedAt: number;
  readonly #place: BatchPlace;
  readonly #builder: BlockBuilder;
  readonly #from: number;
  readonly #to: number;

  constructor(place: BatchPlace, builder: BlockBuilder, from = 0, to: number = builder.rows) {
    assert(to > from, "a batch has rows");
    this.table = place.table;
    this.partition = place.partition;
    this.inherited = place.inherited ?? false;
    this.sealed = place.sealed;
    this.openedAt = place.openedAt;
    this.#place = place;
    this.#builder = builder;
    this.#from = from;
    this.#to = to;
    const whole = from === 0 && to === builder.rows;
    this.name = whole ? `${place.number}` : `${place.number}.${from}-${to}`;
  }

  get rows(): number {
    return this.#to - this.#from;
  }

  /** Who took the rows; rows from a log may be of an earlier start. */
  get recorder(): string {
    return this.#builder.valueText("recorder", this.#from)!;
  }

  get run(): bigint {
    return BigInt(this.#builder.valueText("run", this.#from)!);
  }

  /** Event time of the first row, Unix seconds; undefined where the table's partitions say nothing of it. */
  get eventSeconds(): number | undefined {
    const { partitionKey, columns } = this.table;
    if (partitionKey.kind !== "day" && partitionKey.kind !== "month") return undefined;
    const { type } = columns.find(({ name }) => name === partitionKey.column)!;
    const digits = /^DateTime64\((\d)/.exec(type)?.[1];
    if (digits === undefined) return undefined;
    return Number(this.#builder.int64Of(partitionKey.column, this.#from)) / 10 ** Number(digits);
  }

  /** The columns that are sent, in order. Rows from a log may have others than the table has now. */
  get columns(): readonly string[] {
    return this.#builder.columns;
  }

  /** Its rows by number, if they come from a log: each range is a frame of the log, or what a half of a batch has of one. */
  get frames(): readonly SeqSpan[] {
    const { frames = [] } = this.#place;
    const spans: SeqSpan[] = [];
    let at = 0;
    for (const { firstSeq, count } of frames) {
      const from = Math.max(this.#from, at);
      const to = Math.min(this.#to, at + count);
      if (from < to) spans.push({ firstSeq: firstSeq + from - at, count: to - from });
      at += count;
    }
    return spans;
  }

  /** First and last `seq`, as decimal text. No other batch of this partition has a seq between them. */
  get firstSeq(): string {
    return this.#builder.valueText("seq", this.#from)!;
  }

  get lastSeq(): string {
    return this.#builder.valueText("seq", this.#to - 1)!;
  }

  /** What `column` holds in the first row, for the dead letters. */
  firstValue(column: string): string | null {
    return this.#builder.valueText(column, this.#from);
  }

  /** One Native block, in a new buffer or in place of what `out` held, without the columns `leftOut`. */
  encode(out?: ByteBuffer, leftOut?: ReadonlySet<string>): Buffer {
    return this.#builder.encode(this.#from, this.#to, out, leftOut);
  }

  /** The columns that it shares with those, for {@link valuesOf}. */
  columnsIn(names: ReadonlySet<string>): string[] {
    return this.columns.filter((name) => names.has(name));
  }

  /** By row what a column holds, beside what identifies the row; rows where it is NULL or empty hold nothing. */
  *valuesOf(column: string): Generator<HeldValue> {
    const builder = this.#builder;
    const isOther = new Set(this.columns.filter((name) => name !== column && !IDENTITY.has(name)));
    for (let row = this.#from; row < this.#to; row += 1) {
      const value = builder.rowAt(row)[column];
      if (isEmpty(value)) continue;
      yield {
        seq: builder.valueText("seq", row)!,
        source: builder.valueText("source", row) || null,
        sourceSeq: builder.valueText("source_seq", row),
        block: Buffer.from(builder.encode(row, row + 1, undefined, isOther)),
      };
    }
  }

  /** The first row's values without what only tells which start of the recorder took it, and as which row. */
  firstContent(): Buffer {
    return this.#builder.encodeRowWithout(NUMBERING, this.#from);
  }

  /** The rows [from, to) of the batch that was taken from the buffer, whatever part of it this is, as a batch of their own. */
  part(from: number, to: number, sealed?: number): Batch {
    return new Batch({ ...this.#place, sealed }, this.#builder, from, to);
  }

  /** The first and the second half, as batches of their own. The record of the split seals them. */
  halves(): [Batch, Batch] {
    assert(this.rows > 1, "one row cannot be split");
    const middle = this.#from + (this.rows >> 1);
    return [this.part(this.#from, middle, 0), this.part(middle, this.#to, 0)];
  }

  /** Its frames, those side by side for which `kindOf` gives the same put together: its rows in runs. */
  runs<T>(kindOf: (frame: number) => T): { readonly kind: T; readonly batch: Batch }[] {
    const runs: { kind: T; from: number; to: number }[] = [];
    let at = this.#from;
    for (const [index, { count }] of this.frames.entries()) {
      const kind = kindOf(index);
      const last = runs.at(-1);
      if (last?.kind === kind) last.to += count;
      else runs.push({ kind, from: at, to: at + count });
      at += count;
    }
    return runs.map(({ kind, from, to }) => ({ kind, batch: this.part(from, to) }));
  }
}

/** Whether a value, as {@link BlockBuilder.rowAt} gives it, tells nothing: NULL, or empty. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (value instanceof Map) return value.size === 0;
  return Array.isArray(value) && value.length === 0;
}
