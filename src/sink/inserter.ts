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

/** Sends batches of one table: one INSERT, one Native block, every setting explicit. */
export class Inserter {
  /** Columns of rows from the log that are not sent. */
  readonly leftOut: Set<string> = new Set();
  readonly #options: InserterOptions;
  readonly #target: string;

  constructor({ database, name }: Table, options: InserterOptions) {
    this.#options = options;
    this.#target = `${quoteName(database)}.${quoteName(name)}`;
  }

  /**
   * One attempt. `attempt` names it for ClickHouse: as query id, and as log comment for the embedded engine, which
   * chooses query ids itself. It goes to the endpoint `at` and nowhere else.
   */
  async send(
    batch: Batch,
    token: string,
    { name: attempt, at }: { readonly name: string; readonly at: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { clickhouse, pack, budget, spare, deadlineMs } = this.#options;
    const buffer = spare.pop() ?? new ByteBuffer();
    const block = batch.encode(buffer, this.leftOut);
    const held = block.length;
    budget.add(held);
    budget.send(held);
    try {
      const packed = await pack(block);
      const { sql, settings } = this.head(batch, token, attempt);
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

  head(batch: Batch, token: string, attempt: string): InsertHead {
    const columns = batch.columns
      .filter((name) => !this.leftOut.has(name))
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
