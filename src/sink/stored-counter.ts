import { type ClickHouse, type RequestOptions, type ServerLife, sameLife } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { askReplica } from "../schemas/ask-replica.js";
import type { Table } from "../schemas/table.js";
import type { Link } from "./link.js";
import { parameterText } from "./partition-condition.js";
import { countStored, readStored, type StoredSpan } from "./stored-seqs.js";

export interface StoredCounterOptions {
  readonly clickhouse: ClickHouse;
  readonly link: Link;
  readonly tables: readonly Table[];
  /** Milliseconds for one question. */
  readonly deadlineMs: number;
}

interface Rows {
  readonly first: number;
  readonly last: number;
}

const UNKNOWN_TABLE = 60;

/** Says for the log which rows ClickHouse holds, and in which of its lives. */
export class StoredCounter {
  readonly #options: StoredCounterOptions;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #closed = new AbortController();
  #life: ServerLife | undefined;
  #lives = 0;

  constructor(options: StoredCounterOptions) {
    this.#options = options;
    this.#tables = new Map(options.tables.map((table) => [table.name, table]));
  }

  /** Which of ClickHouse's lives answers now: the first that was seen is 1, and when it began, milliseconds since 1970. */
  async life(): Promise<{ number: number; startedAt: number }> {
    const life = await this.#options.link.readLife(this.#closed.signal);
    if (this.#life === undefined || !sameLife(this.#life, life)) {
      this.#life = life;
      this.#lives += 1;
    }
    return { number: this.#lives, startedAt: this.#life.startedAt * 1000 };
  }

  /** How many of the rows are stored. */
  async count(table: string, run: bigint, rows: Rows): Promise<number> {
    const wanted = rows.last - rows.first + 1;
    return await this.#ask(
      table,
      0,
      (known, request) =>
        countStored(this.#options.clickhouse, { table: known, run, ...rows }, request).then(
          ({ seqs }) => seqs,
        ),
      (seqs) => seqs >= wanted,
    );
  }

  /** Which of the rows are stored, in ascending order. */
  async find(table: string, run: bigint, rows: Rows): Promise<readonly StoredSpan[]> {
    return await this.#ask<readonly StoredSpan[]>(table, [], (known, request) =>
      readStored(this.#options.clickhouse, { table: known, run, ...rows }, request),
    );
  }

  /** Materialized views that are filled by INSERTs into the table, as `database.view`. */
  async views(table: string): Promise<readonly string[]> {
    const { clickhouse, deadlineMs } = this.#options;
    const rows = await clickhouse.rows<{ view: string }>(
      `SELECT concat(database, '.', view) AS view
       FROM (SELECT dependencies_database, dependencies_table FROM system.tables
             WHERE database = currentDatabase() AND name = {table:String})
       ARRAY JOIN dependencies_database AS database, dependencies_table AS view
       ORDER BY view`,
      { params: { table: parameterText(table) }, timeoutMs: deadlineMs, signal: this.#closed.signal },
    );
    return rows.map(({ view }) => view);
  }

  /** Ends what is being asked. */
  close(): void {
    this.#closed.abort();
  }

  /** A table that is not there holds nothing. */
  async #ask<T>(
    name: string,
    nothing: T,
    ask: (table: Table, request: RequestOptions) => Promise<T>,
    isSure: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const { clickhouse, deadlineMs } = this.#options;
    const { signal } = this.#closed;
    const table = this.#tables.get(name) ?? unknownTable(clickhouse.options.database, name);
    try {
      return await askReplica({
        clickhouse,
        table,
        fetchMs: deadlineMs,
        signal,
        ask: (request) => ask(table, { ...request, timeoutMs: deadlineMs, signal }),
        isSure,
      });
    } catch (error) {
      if (error instanceof ClickHouseError && error.clickhouseCode === UNKNOWN_TABLE) return nothing;
      throw error;
    }
  }
}

/** A table that this start does not write: the log may hold rows of it all the same. */
function unknownTable(database: string, name: string): Table {
  return { database, name, columns: [], partitionKey: { kind: "none" }, replicated: false };
}
