import { ColdpathError } from "../base/errors.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { quoteString } from "../clickhouse/quote.js";
import type { Table } from "../schemas/table.js";

/**
 * Sending a batch again is harmless only where ClickHouse remembers its token, and plain MergeTree does not unless told.
 * @throws ColdpathError SCHEMA_MISMATCH, with the statement that mends it
 */
export async function requireTokenMemory(clickhouse: ClickHouse, tables: readonly Table[]): Promise<void> {
  for (const { database, name } of tables) {
    const [row] = await clickhouse.rows<{ engine: string; engine_full: string }>(
      `SELECT engine, engine_full FROM system.tables
       WHERE database = ${quoteString(database)} AND name = ${quoteString(name)}`,
    );
    const setting =
      row!.engine === "MergeTree" ? "non_replicated_deduplication_window" : "replicated_deduplication_window";
    const own = new RegExp(`\\b${setting} = (\\d+)`).exec(row!.engine_full)?.[1];
    if (Number(own ?? (await defaultOf(clickhouse, setting))) > 0) continue;
    throw new ColdpathError(
      "SCHEMA_MISMATCH",
      `table ${name} does not remember what was sent, so a repeated batch would be stored twice: ` +
        `ALTER TABLE ${name} MODIFY SETTING ${setting} = 10000`,
    );
  }
}

async function defaultOf(clickhouse: ClickHouse, setting: string): Promise<string | undefined> {
  const [row] = await clickhouse.rows<{ value: string }>(
    `SELECT value FROM system.merge_tree_settings WHERE name = ${quoteString(setting)}`,
  );
  return row?.value;
}
