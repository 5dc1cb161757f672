import assert from "node:assert";
import type { BlockBuilder } from "../native/block.js";
import type { ByteBuffer } from "../native/byte-buffer.js";
import type { Table } from "../schemas/table.js";
import type { Partition } from "./partition.js";

/** Columns that differ each time the same row is taken. */
const NUMBERING: ReadonlySet<string> = new Set(["run", "seq"]);

/**
 * Rows of one partition that are stored together or not at all. Frozen: however often it is sent, these are the same
 * rows in the same order and, for the same table, the same bytes.
 */
export class Batch {
  readonly table: Table;
  readonly partition: Partition;
  /** Unique within run and table: `17`, or for the rows [250, 500) of batch 17 that had to be split, `17.250-500`. */
  readonly name: string;
  /** Monotonic milliseconds when its oldest row was taken. */
  readonly openedAt: number;
  readonly #number: number;
  readonly #builder: BlockBuilder;
  readonly #from: number;
  readonly #to: number;

  constructor(
    place: { table: Table; partition: Partition; number: number; openedAt: number },
    builder: BlockBuilder,
    from = 0,
    to: number = builder.rows,
  ) {
    assert(to > from, "a batch has rows");
    this.table = place.table;
    this.partition = place.partition;
    this.openedAt = place.openedAt;
    this.#number = place.number;
    this.#builder = builder;
    this.#from = from;
    this.#to = to;
    const whole = from === 0 && to === builder.rows;
    this.name = whole ? `${place.number}` : `${place.number}.${from}-${to}`;
  }

  get rows(): number {
    return this.#to - this.#from;
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

  /** One Native block, in a new buffer or in place of what `out` held. */
  encode(out?: ByteBuffer): Buffer {
    return this.#builder.encode(this.#from, this.#to, out);
  }

  /** The first row's values without what only tells which start of the recorder took it, and as which row. */
  firstContent(): Buffer {
    return this.#builder.encodeRowWithout(NUMBERING, this.#from);
  }

  /** The first and the second half, as batches of their own. */
  halves(): [Batch, Batch] {
    assert(this.rows > 1, "one row cannot be split");
    const middle = this.#from + (this.rows >> 1);
    const place = {
      table: this.table,
      partition: this.partition,
      number: this.#number,
      openedAt: this.openedAt,
    };
    return [
      new Batch(place, this.#builder, this.#from, middle),
      new Batch(place, this.#builder, middle, this.#to),
    ];
  }
}
