import type { ClickHouse, Settings } from "../clickhouse/client.js";

/**
 * Every setting that decides how an INSERT is taken, so that no profile or default of a server can change it: in 2026
 * alone the defaults of `async_insert` and of deduplication turned round.
 */
const ALWAYS: Settings = {
  // The token decides, and only if deduplication is on; views follow the table.
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // The answer must mean "stored": no second buffer on the server, no answer before the end.
  async_insert: 0,
  wait_for_async_insert: 1,
  // A wrong row is refused, never made to fit.
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  // Columns that are not sent take their DEFAULT: ts_ingest.
  input_format_defaults_for_omitted_fields: 1,
  // One block stays one block, hence one part, hence all or nothing.
  max_insert_block_size: 1_048_449,
  min_insert_block_size_rows: 1_048_449,
  min_insert_block_size_bytes: 268_402_944,
  // A view that fails is reported, not skipped.
  materialized_views_ignore_errors: 0,
};

/** The same for settings that only newer servers know. An unknown one would fail the INSERT. */
const IF_KNOWN: Settings = {
  deduplicate_insert: "enable",
  use_strict_insert_block_limits: 0,
};

/**
 * What rows of a critical table wait for on a cluster: that a majority of the shard's replicas has them. Two batches of a
 * table may be under way, which only a parallel quorum allows.
 *
 * @param deadlineMs milliseconds for one attempt: the server gives up before, with an answer that says so
 */
export function quorumSettings(deadlineMs: number): Settings {
  return {
    insert_quorum: "auto",
    insert_quorum_parallel: 1,
    insert_quorum_timeout: Math.ceil(deadlineMs * 0.8),
  };
}

/** The settings for this server. */
export async function readInsertSettings(clickhouse: ClickHouse): Promise<Settings> {
  const names = Object.keys(IF_KNOWN).map((name) => `'${name}'`);
  const known = await clickhouse.rows<{ name: keyof typeof IF_KNOWN }>(
    `SELECT name FROM system.settings WHERE name IN (${names})`,
  );
  return { ...ALWAYS, ...Object.fromEntries(known.map(({ name }) => [name, IF_KNOWN[name]!])) };
}
