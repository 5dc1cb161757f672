import type { ClickHouse } from "../clickhouse/client.js";
import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { Table } from "../schemas/table.js";

/**
 * A sentence about the rows of a source that are older than their table keeps rows; undefined if there are none. The
 * TTL of coldpath's own tables counts from event or arrival, whichever is later; a user's table may do otherwise.
 */
export async function keepNote(
  clickhouse: ClickHouse,
  table: Table,
  source: string,
): Promise<string | undefined> {
  const { partitionKey } = table;
  if (partitionKey.kind !== "day" && partitionKey.kind !== "month") return undefined;
  const [ddl] = await clickhouse.rows<{ text: string }>(
    `SELECT create_table_query AS text FROM system.tables
     WHERE database = ${quoteString(table.database)} AND name = ${quoteString(table.name)}`,
  );
  // As ClickHouse prints it: `TTL greatest(…) + toIntervalDay(60) + toIntervalDay(7)`.
  const ttl = /\bTTL (.*?((?: \+ toInterval\w+\(\d+\))+))/.exec(ddl?.text ?? "");
  if (ttl === null) return undefined;
  const [, expression, keep] = ttl;
  const time = quoteName(partitionKey.column);
  const [found] = await clickhouse.rows<{ oldest: string; until: string; is_old: number }>(
    `SELECT toString(toDate(min(${time}))) AS oldest, toString(toDate(now()${keep})) AS until,
            min(${time})${keep} < now() AS is_old
     FROM ${quoteName(table.database)}.${quoteName(table.name)} WHERE source = ${quoteString(source)}`,
  );
  if (found === undefined || Number(found.is_old) === 0) return undefined;
  const fate = expression!.includes("ts_ingest")
    ? `they stay until about ${found.until}, because ${table.name} counts from their arrival`
    : "ClickHouse may delete them at any time";
  return `has rows of ${found.oldest}, older than ${table.name} keeps rows: ${fate}`;
}
