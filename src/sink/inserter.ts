import type { Batch } from "../buffer/batch.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import { quoteName } from "../clickhouse/quote.js";
import { ByteBuffer } from "../native/byte-buffer.js";
import type { Table } from "../schemas/table.js";
import type { Pack } from "./compression.js";

export interface InserterOptions {
  readonly clickhouse: ClickHouse;
  /** Those of the server, which are known once it has answered. */
  readonly settings: () => Settings;
  readonly pack: Pack;
  readonly budget: MemoryBudget;
  /** Buffers of blocks that were sent, for the next ones of any table: as many as were ever under way at once. */
  readonly spare: ByteBuffer[];
  /** Milliseconds for one attempt: connect, send, answer read. */
  readonly deadlineMs: number;
}

/** One attempt's request, without its body. */
export interface InsertHead {
  readonly sql: string;
  readonly settings: Settings;
}

/** How a batch is sent. */
export interface Sending {
  /** What ClickHouse knows the attempt by: as query id, and as log comment for the embedded engine, which chooses query ids itself. */
  readonly name: string;
  /** The endpoint; it goes nowhere else. */
  readonly at: string;
  /** Columns that are not sent: what they hold is kept. */
  readonly leftOut: ReadonlySet<string>;
}

/** Sends batches of one table: one INSERT, one Native block, every setting explicit. */
export class Inserter {
  /** Columns that batches are to be sent without from now on. */
  leftOut: ReadonlySet<string> = new Set();
  readonly #options: InserterOptions;
  readonly #target: string;

  constructor({ database, name }: Table, options: InserterOptions) {
    this.#options = options;
    this.#target = `${quoteName(database)}.${quoteName(name)}`;
  }

  /** One attempt. */
  async send(
    batch: Batch,
    token: string,
    { name: attempt, at, leftOut }: Sending,
    signal: AbortSignal,
  ): Promise<void> {
    const { clickhouse, pack, budget, spare, deadlineMs } = this.#options;
    const buffer = spare.pop() ?? new ByteBuffer();
    const block = batch.encode(buffer, leftOut);
    const held = block.length;
    budget.add(held);
    budget.send(held);
    try {
      const packed = await pack(block);
      const { sql, settings } = this.head(batch, token, attempt, leftOut);
      await clickhouse.insert({
        at,
        sql,
        settings,
        ...packed,
        queryId: attempt,
        timeoutMs: deadlineMs,
        signal,
      });
      // After a failure a socket may still hold on to it.
      spare.push(buffer);
    } finally {
      budget.send(-held);
      budget.add(-held);
    }
  }

  head(batch: Batch, token: string, attempt: string, leftOut: ReadonlySet<string>): InsertHead {
    const columns = batch.columns
      .filter((name) => !leftOut.has(name))
      .map(quoteName)
      .join(", ");
    const settings = {
      ...this.#options.settings(),
      insert_deduplication_token: token,
      log_comment: attempt,
    };
    return { sql: `INSERT INTO ${this.#target} (${columns}) FORMAT Native`, settings };
  }
}
