import { ColdpathError } from "../base/errors.js";
import type { BlockBuilder, Row } from "../native/block.js";
import type { Table } from "../schemas/table.js";
import type { BuilderPool } from "./builder-pool.js";
import type { EventWindow } from "./event-window.js";
import { type Partition, type Partitioner, partitionerOf } from "./partition.js";

/** Rows of one partition that are gathered in one builder. */
export interface Gathering {
  readonly builder: BlockBuilder;
  partition: Partition;
}

export interface RowRouterOptions<T extends Gathering> {
  readonly table: Table;
  readonly window: EventWindow;
  readonly pool: BuilderPool;
  /** Begins to gather rows of a partition that has nothing open. */
  readonly begin: (partition: Partition, builder: BlockBuilder) => T;
}

/** Leads each row of a table to the rows of its partition, so that no value is parsed twice. */
export class RowRouter<T extends Gathering> {
  readonly #options: RowRouterOptions<T>;
  readonly #partitioner: Partitioner;
  /** Where rows of a partition go that is not open yet, until their value has been read. */
  #spare: BlockBuilder;
  readonly #open = new Map<string, T>();
  /** What took the last row: the next one most likely belongs there too. */
  #current: T | undefined;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column that cannot be written. */
  constructor(options: RowRouterOptions<T>) {
    this.#options = options;
    this.#partitioner = partitionerOf(options.table, options.window);
    this.#spare = firstBuilder(options.pool, options.table.name);
  }

  /** What takes rows, one for each partition. */
  get open(): Iterable<T> {
    return this.#open.values();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether more rows may join it. */
  isOpen(gathered: T): boolean {
    return this.#open.get(gathered.partition.key) === gathered;
  }

  /** @throws ValueError; nothing has changed then. */
  append(row: Row, stamp: Row): T {
    const current = this.#current;
    const builder = current === undefined ? this.#spare : current.builder;
    builder.append(row, stamp);
    if (current !== undefined && this.#partitioner.holds(current.partition, builder, builder.rows - 1))
      return current;
    return this.#place(row, stamp, builder);
  }

  /** No row joins them any more. */
  close(gathered: T): void {
    if (this.#current === gathered) this.#current = undefined;
    if (this.#open.get(gathered.partition.key) === gathered) this.#open.delete(gathered.partition.key);
  }

  /** The row was appended to `builder` for a guess; moves it to those of its partition. */
  #place(row: Row, stamp: Row, builder: BlockBuilder): T {
    let partition: Partition;
    try {
      partition = this.#partitioner.of(builder, builder.rows - 1);
    } catch (error) {
      builder.removeLast();
      throw error;
    }
    let found = this.#open.get(partition.key);
    if (found !== undefined && found.builder === builder) {
      // The event window has moved on: the same partition, known further.
      found.partition = partition;
      return found;
    }
    if (found === undefined && builder === this.#spare) {
      found = this.#begin(partition, builder);
      this.#spare = this.#options.pool.take();
    } else {
      builder.removeLast();
      found ??= this.#begin(partition, this.#options.pool.take());
      found.builder.append(row, stamp);
    }
    this.#current = found;
    return found;
  }

  #begin(partition: Partition, builder: BlockBuilder): T {
    const begun = this.#options.begin(partition, builder);
    this.#open.set(partition.key, begun);
    return begun;
  }
}

/** The pool knows columns only; who reads the refusal has many tables. */
function firstBuilder(pool: BuilderPool, table: string): BlockBuilder {
  try {
    return pool.take();
  } catch (cause) {
    if (!(cause instanceof ColdpathError)) throw cause;
    throw new ColdpathError(cause.code, `table ${table}, ${cause.message}`, { cause });
  }
}
