import { ColdpathError } from "../base/errors.js";
import type { ClickHouse } from "../clickhouse/client.js";
import type { Table } from "../schemas/table.js";

/**
 * Several endpoints must be replicas of one set: plain tables on two servers know nothing of each other, so after a failover the
 * rows would lie on both, and those in doubt be stored twice.
 * @throws ColdpathError SCHEMA_MISMATCH
 */
export function requireOneStore(clickhouse: ClickHouse, tables: readonly Table[]): void {
  const lone = tables.find(({ replicated }) => !replicated);
  if (clickhouse.endpoints.length === 1 || lone === undefined) return;
  throw new ColdpathError(
    "SCHEMA_MISMATCH",
    `clickhouse.url names ${clickhouse.endpoints.length} servers, but table ${lone.name} is not replicated: its rows would be split ` +
      "among servers that do not know of each other; make it a ReplicatedMergeTree, or name one server",
  );
}
